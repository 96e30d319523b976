"""The data sets in the words of DCAT-AP 3 (JSON-LD), made from config/open/catalog.yaml and the services that are open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrator.errors import ConfigurationError
from integrator.services import Service

Json = dict[str, Any]
_EU = "http://publications.europa.eu/resource/authority"
_CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#", "dcatap": "http://data.europa.eu/r5r/",
}  # fmt: skip
_FORMS = {"application/json": "JSON", "application/ld+json": "JSON_LD", "text/csv": "CSV"}


def catalogue(said: Mapping[str, Any], services: Mapping[str, Service], base: str) -> Json:
    """`base`: the hub's address. Raises `ConfigurationError` for a data set of a service that is not open."""
    root = f"{base}/open/v1"
    about = {
        "dct:publisher": {"@id": f"{root}/catalog#publisher", "@type": "foaf:Agent", "foaf:name": _texts(said["publisher"])},
        "dcat:contactPoint": {"@type": "vcard:Kind", "vcard:hasEmail": {"@id": said["contact"]}},
    }  # fmt: skip
    datasets = [_dataset(name, one, services, root, about) for name, one in said["datasets"].items()]
    door = {
        "@id": f"{root}/catalog#door", "@type": "dcat:DataService", "dct:title": _texts(said["title"]),
        "dcat:endpointURL": {"@id": root}, "dcat:endpointDescription": {"@id": f"{base}/openapi.json"},
        "dcat:servesDataset": [{"@id": one["@id"]} for one in datasets], "dct:accessRights": {"@id": f"{_EU}/access-right/PUBLIC"},
    }  # fmt: skip
    return {
        "@context": _CONTEXT, "@id": f"{root}/catalog", "@type": "dcat:Catalog", "dct:title": _texts(said["title"]),
        "dct:description": _texts(said["description"]), **about,
        "dct:language": [{"@id": f"{_EU}/language/{one}"} for one in ("NLD", "FRA", "ENG")],
        "dcat:dataset": datasets, "dcat:service": [door],
    }  # fmt: skip


def _dataset(name: str, said: Mapping[str, Any], services: Mapping[str, Service], root: str, about: Json) -> Json:
    unknown = [one for one in said.get("services", ()) if one not in services]
    if unknown:
        raise ConfigurationError(f"config/open/catalog.yaml: {name}: {', '.join(unknown)} is not open")
    base = root.removesuffix("/open/v1")
    places = [f"{base}{services[one].path}" for one in said.get("services", ())]
    places += [f"{root}/statistics/{said['series']}"] if "series" in said else []
    return {
        "@id": f"{root}/catalog#{name}", "@type": "dcat:Dataset", "dct:identifier": name,
        "dct:title": _texts(said["title"]), "dct:description": _texts(said["description"]), **about,
        "dcat:theme": {"@id": f"{_EU}/data-theme/{said['theme']}"},
        "dct:accrualPeriodicity": {"@id": f"{_EU}/frequency/{said['frequency']}"},
        "dct:spatial": {"@id": f"{_EU}/country/BEL"}, "dct:accessRights": {"@id": f"{_EU}/access-right/PUBLIC"},
        "dcat:distribution": [_distribution(place, kind, said["license"], root) for place in places for kind in _FORMS],
    }  # fmt: skip


def _distribution(place: str, kind: str, license_: str, root: str) -> Json:
    return {
        "@type": "dcat:Distribution", "dcat:accessURL": {"@id": place}, "dct:license": {"@id": license_},
        "dcat:mediaType": {"@id": f"http://www.iana.org/assignments/media-types/{kind}"},
        "dct:format": {"@id": f"{_EU}/file-type/{_FORMS[kind]}"}, "dcat:accessService": {"@id": f"{root}/catalog#door"},
        "dcatap:availability": {"@id": f"{_EU}/planned-availability/STABLE"},
    }  # fmt: skip


def _texts(said: Mapping[str, str]) -> list[Json]:
    return [{"@value": text, "@language": language} for language, text in said.items()]
