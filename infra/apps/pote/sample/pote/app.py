"""The WSGI application: GET /health, GET and POST /readings."""

import json

import sqlalchemy as sa

from . import database


def make(engine: sa.Engine):
    def application(environ, start_response):
        try:
            status, body = answer(engine, environ)
        except sa.exc.SQLAlchemyError as error:
            status, body = "503 Service Unavailable", {"error": type(error).__name__}
        text = json.dumps(body).encode() + b"\n"
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(text)))])
        return [text]

    return application


def answer(engine: sa.Engine, environ):
    match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
        case "GET", "/health":
            with engine.connect() as connection:
                revision = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
            return "200 OK", {"app": "pote", "revision": revision}
        case "GET", "/readings":
            with engine.connect() as connection:
                rows = connection.execute(sa.select(database.readings).order_by(database.readings.c.id)).all()
            return "200 OK", [{"meter": row.meter, "value": float(row.value), "at": row.taken_at.isoformat()} for row in rows]
        case "POST", "/readings":
            try:
                given = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
                values = {"meter": str(given["meter"]), "value": float(given["value"])}
            except (ValueError, KeyError, TypeError):
                return "400 Bad Request", {"error": 'expected {"meter": "…", "value": 1.5}'}
            with engine.begin() as connection:
                connection.execute(sa.insert(database.readings).values(values))
            return "201 Created", values
        case _:
            return "404 Not Found", {"error": "no such path"}
