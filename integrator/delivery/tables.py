"""The tables of the outbox (made by migrations/delivery), and the statements that commit beside ledger entries."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table, text

metadata = MetaData()

MESSAGE = Table(
    "delivery_message", metadata,
    Column("id", BigInteger, primary_key=True), Column("uid", String), Column("digest", LargeBinary),
    Column("service", String), Column("kind", String), Column("mode", String), Column("recipient", String),
    Column("lane", LargeBinary), Column("org", String), Column("app", String), Column("purpose", String),
    Column("sender_org", String), Column("sender_app", String), Column("trace", String), Column("sealed", LargeBinary),
    Column("created", BigInteger), Column("due", BigInteger), Column("deadline", BigInteger), Column("state", String),
    Column("attempts", Integer), Column("reason", String), Column("leased_by", String), Column("leased_until", BigInteger),
    Column("ended", BigInteger), Column("question", String), Column("answer", String), Column("answer_by", BigInteger),
    Column("sender_purpose", String),
)  # fmt: skip
SUBSCRIPTION = Table(
    "delivery_subscription", metadata,
    Column("uid", String, primary_key=True), Column("digest", LargeBinary), Column("org", String), Column("app", String),
    Column("purpose", String), Column("service", String), Column("fields", String), Column("mode", String),
    Column("endpoint", String), Column("created", BigInteger), Column("ends", BigInteger), Column("ended", BigInteger),
)  # fmt: skip
ENDPOINT = Table(
    "delivery_endpoint", metadata,
    Column("uid", String, primary_key=True), Column("org", String), Column("url", String),
    Column("created", BigInteger), Column("ended", BigInteger),
)  # fmt: skip

# As in the partial indexes, word for word.
IS_OPEN = text("delivery_message.state IN ('waiting', 'unknown')")
IS_STANDING = text("delivery_message.state IN ('waiting', 'unknown', 'dead')")
IS_FETCHED = text("delivery_message.state IN ('waiting', 'unknown') AND delivery_message.mode = 'pull'")
IS_AWAITING = text("delivery_message.answer = 'awaiting'")
IS_CARRIED = text("delivery_message.state IN ('waiting', 'unknown') AND delivery_message.mode <> 'pull'")

# Beside entries: see audit.beside. Casts, because a PostgreSQL column of NULLs alone would be text.
_BIG, _TEXT = "CAST(? AS bigint)", "CAST(? AS text)"
ACCEPT = (
    "INSERT INTO delivery_message (uid, digest, service, kind, mode, recipient, lane, org, app, purpose, sender_org,"
    " sender_app, trace, sealed, created, due, deadline, state, question, answer, answer_by, sender_purpose) VALUES {rows}"
    " ON CONFLICT (uid) DO NOTHING"
)
ACCEPT_ROW = f"({', '.join(['?'] * 14)}, {', '.join([_BIG] * 3)}, ?, {_TEXT}, {_TEXT}, {_BIG}, ?)"
# Values go once they are delivered, or once no answer is awaited any longer: it bears the case of its question. A lease that
# was lost settles nothing.
SETTLE = (
    "UPDATE delivery_message SET state = v.column3, due = v.column4, reason = v.column5, ended = v.column6,"
    " sealed = CASE WHEN v.column3 = 'expired' OR (v.column3 = 'delivered' AND coalesce(answer, '') <> 'awaiting') THEN NULL"
    " ELSE sealed END, leased_by = NULL, leased_until = 0"
    " FROM (VALUES {rows}) AS v WHERE delivery_message.id = v.column1 AND delivery_message.leased_by = v.column2"
)
SETTLE_ROW = f"({_BIG}, {_TEXT}, {_TEXT}, {_BIG}, {_TEXT}, {_BIG})"
ANSWERED = (
    "UPDATE delivery_message SET answer = v.column2, sealed = CASE WHEN state = 'delivered' THEN NULL ELSE sealed END"
    " FROM (VALUES {rows}) AS v"
    " WHERE delivery_message.uid = v.column1 AND delivery_message.answer = 'awaiting'"
)
ANSWERED_ROW = f"({_TEXT}, {_TEXT})"
WITHDRAWN = "WITHDRAWN"
WITHDRAW = (
    "UPDATE delivery_message SET state = CASE WHEN state = 'waiting' THEN 'purged' ELSE state END,"
    " answer = CASE WHEN answer = 'awaiting' THEN 'expired' ELSE answer END, reason = 'WITHDRAWN', sealed = NULL,"
    " ended = coalesce(ended, v.column2) FROM (VALUES {rows}) AS v WHERE delivery_message.uid = v.column1"
    " AND (answer = 'awaiting' OR (answer IS NULL AND state = 'waiting'))"
)
WITHDRAW_ROW = f"({_TEXT}, {_BIG})"
FOLLOW = (
    "INSERT INTO delivery_subscription (uid, digest, org, app, purpose, service, fields, mode, endpoint, created, ends)"
    " VALUES {rows} ON CONFLICT (uid) DO NOTHING"
)
FOLLOW_ROW = f"({', '.join(['?'] * 8)}, {_TEXT}, {_BIG}, {_BIG})"
UNFOLLOW = (
    "UPDATE delivery_subscription SET ended = v.column2 FROM (VALUES {rows}) AS v"
    " WHERE delivery_subscription.uid = v.column1 AND delivery_subscription.ended IS NULL"
)
UNFOLLOW_ROW = f"({_TEXT}, {_BIG})"
REGISTER = "INSERT INTO delivery_endpoint (uid, org, url, created) VALUES {rows} ON CONFLICT (uid) DO NOTHING"
REGISTER_ROW = f"(?, ?, ?, {_BIG})"
UNREGISTER = (
    "UPDATE delivery_endpoint SET ended = v.column3 FROM (VALUES {rows}) AS v"
    " WHERE delivery_endpoint.org = v.column1 AND delivery_endpoint.url = v.column2 AND delivery_endpoint.ended IS NULL"
)
UNREGISTER_ROW = f"({_TEXT}, {_TEXT}, {_BIG})"
# Orders of an operator: only what still stands as he saw it. A write may have been done by an attempt that nobody knows the
# end of, whatever it is dead of now: its source is asked first.
REDRIVE = (
    "UPDATE delivery_message SET state = CASE delivery_message.mode WHEN 'effect' THEN 'unknown' ELSE 'waiting' END,"
    " due = v.column2, deadline = v.column3, reason = NULL, ended = NULL,"
    " attempts = 0 FROM (VALUES {rows}) AS v WHERE delivery_message.id = v.column1 AND delivery_message.state = 'dead'"
)
REDRIVE_ROW = f"({_BIG}, {_BIG}, {_BIG})"
PURGE = (
    "UPDATE delivery_message SET state = 'purged', sealed = NULL, ended = v.column2 FROM (VALUES {rows}) AS v"
    " WHERE delivery_message.id = v.column1 AND delivery_message.state = 'dead'"
)
PURGE_ROW = f"({_BIG}, {_BIG})"
