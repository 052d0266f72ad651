"""`python -m pote` serves, `python -m pote summarise` is the nightly job."""

import os
import sys

import waitress

from . import app, database, summary

match sys.argv[1:]:
    case []:
        waitress.serve(app.make(database.engine()), host="0.0.0.0", port=int(os.environ["PORT"]), threads=4)
    case ["summarise"]:
        summary.summarise(database.engine())
    case _:
        sys.exit("usage: python -m pote [summarise]")
