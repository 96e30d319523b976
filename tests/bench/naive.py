"""The hub most teams would write first, of ordinary parts used as their tutorials show: FastAPI body models, PyJWT on
each call, httpx, zeep, one SQL transaction per record. It trims and records like ours; it is here to be compared with.

    python -P tests/bench/naive.py CONFIG.json     {"port", "jwks": {...}, "audience", "issuer", "div", "div_credentials", "kbo", "kbo_wsdl", "kbo_credentials", "ledger"}
"""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jwt
import uvicorn
import zeep
from fastapi import Depends, FastAPI, Header, HTTPException
from lxml import etree
from pydantic import BaseModel
from sqlalchemy import Column, Integer, String, create_engine, event
from sqlalchemy.orm import Session, declarative_base
from zeep.wsse.username import UsernameToken

config = json.loads(Path(sys.argv[1]).read_text())
keys = {key["kid"]: jwt.PyJWK(key) for key in config["jwks"]["keys"]}
Base = declarative_base()


class Record(Base):
    __tablename__ = "record"
    id = Column(Integer, primary_key=True)
    kind, trace, organisation, purpose, subject = (
        Column(String),
        Column(String),
        Column(String),
        Column(String),
        Column(String),
    )
    fields, at = Column(String), Column(Integer)


engine = create_engine(config["ledger"])


@event.listens_for(engine, "connect")
def _durable(connection, _record):  # type: ignore[no-untyped-def]
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


Base.metadata.create_all(engine)
app = FastAPI()
outgoing = httpx.Client(timeout=6)
div_token: dict[str, object] = {"token": "", "until": 0.0}
_soap: list[zeep.Client] = []
_one_at_a_time = threading.Lock()
UTILITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
MESSAGES = "http://economie.fgov.be/kbopub/webservices/v1/messages"


class Question(BaseModel):
    plateNumber: str
    dossierReference: str


class Holder(BaseModel):
    ssin: str | None = None


class Registration(BaseModel):
    plateNumber: str
    status: str
    holder: Holder


class Registrations(BaseModel):
    items: list[Registration]


def caller(authorization: str = Header()) -> dict:
    token = authorization.removeprefix("Bearer ")
    try:
        key = keys[jwt.get_unverified_header(token)["kid"]]
        return jwt.decode(token, key.key, algorithms=["ES256"], audience=config["audience"], issuer=config["issuer"])
    except jwt.PyJWTError as error:
        raise HTTPException(401) from error


def record(kind: str, trace: str, claims: dict, subject: str, fields: list[str]) -> None:
    with Session(engine) as session, session.begin():
        session.add(Record(
            kind=kind, trace=trace, organisation=claims.get("organisation", ""), purpose=json.dumps(claims.get("authorization_details")),
            subject=subject, fields=json.dumps(fields), at=int(time.time() * 1e6),
        ))  # fmt: skip


def bearer() -> str:
    if time.time() > float(div_token["until"]):  # type: ignore[arg-type]
        credentials = config["div_credentials"]
        answer = outgoing.post(
            f"{config['div']}/oauth/token",
            data={
                "grant_type": "client_credentials",
                "client_id": credentials["clientId"],
                "client_secret": credentials["clientSecret"],
            },
        )
        if answer.status_code == 401:  # credentials in the Authorization header instead
            answer = outgoing.post(
                f"{config['div']}/oauth/token", data={"grant_type": "client_credentials"},
                auth=(credentials["clientId"], credentials["clientSecret"]),
            )  # fmt: skip
        answer.raise_for_status()
        div_token.update(token=answer.json()["access_token"], until=time.time() + answer.json()["expires_in"] - 30)
    return str(div_token["token"])


@app.post("/vehicle/v1/registrations/query", response_model=Registrations)
def registrations(question: Question, claims: dict = Depends(caller)) -> Registrations:  # noqa: B008
    trace = uuid.uuid4().hex
    record("intent", trace, claims, question.plateNumber, ["status", "holder.ssin"])
    answer = outgoing.get(
        f"{config['div']}/v1/mobility/registrations",
        params={"plateNr": question.plateNumber},
        headers={"Authorization": f"Bearer {bearer()}"},
    )
    items = answer.json()["items"] if answer.status_code == 200 else []
    found = [
        Registration(
            plateNumber=item["license"]["plateNr"], status=item["license"]["status"]["code"],
            holder=Holder(ssin=((item["titular"].get("person") or {}).get("nationalNr") or {}).get("identificator")),
        )
        for item in items
    ]  # fmt: skip
    record("outcome", trace, claims, question.plateNumber, ["status", "holder.ssin"])
    return Registrations(items=found)


def soap(trace: str):  # type: ignore[no-untyped-def]
    """The client, and the headers of one call: a fresh Timestamp beside the password, and the context."""
    if not _soap:
        _soap.append(zeep.Client(config["kbo_wsdl"]))
    client = _soap[0]
    now = datetime.now(UTC)
    timestamp = etree.Element(f"{{{UTILITY}}}Timestamp")
    etree.SubElement(timestamp, f"{{{UTILITY}}}Created").text = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    etree.SubElement(timestamp, f"{{{UTILITY}}}Expires").text = (now + timedelta(minutes=5)).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )
    credentials = config["kbo_credentials"]
    client.wsse = UsernameToken(
        credentials["username"], credentials["password"], use_digest=True, timestamp_token=timestamp
    )
    return client, client.get_element(f"{{{MESSAGES}}}RequestContext")(Id=trace, Language="fr")


@app.get("/enterprise/v1/enterprises/{number}")
def enterprise(number: str, claims: dict = Depends(caller)) -> dict:  # noqa: B008
    trace = uuid.uuid4().hex
    record("intent", trace, claims, number, ["legalName", "status"])
    with _one_at_a_time:  # zeep keeps the wsse of a call on the client
        client, context = soap(trace)
        service = client.create_service(next(iter(client.wsdl.bindings)), config["kbo"])
        answer = service.ReadEnterprise(EnterpriseNumber=number, _soapheaders=[context])
    plain = zeep.helpers.serialize_object(answer, dict)
    record("outcome", trace, claims, number, ["legalName", "status"])
    return {"enterpriseNumber": number, "status": str(plain.get("Enterprise", plain).get("Status"))[:80]}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=config["port"], log_level="error", access_log=False)
