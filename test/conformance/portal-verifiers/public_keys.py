"""Portals that hold a public key, written from the documents of Freshworks, Mintlify and Jitterbit. With PyJWT.

Reads {key (PEM), algorithm, where, now, expect, required, attempts: [{url}]} on standard input, where `where` says in
which part of the address the token stands; answers for each attempt what the token says, or why it was refused.
"""
import json
import sys
from urllib.parse import parse_qs, urlsplit

import jwt

asked = json.load(sys.stdin)


def token_of(url):
    place, _, name = asked["where"].partition(":")
    if place == "fragment":
        return url.fragment
    values = parse_qs(url.query).get(name, [])
    return values[0] if len(values) == 1 else ""


def read(attempt):
    url = urlsplit(attempt["url"])
    try:
        # The clock is the test's, so times are compared below.
        claims = jwt.decode(
            token_of(url),
            asked["key"],
            algorithms=[asked["algorithm"]],
            options={"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False,
                     "require": asked["required"]},
        )
    except jwt.PyJWTError as error:
        return {"no": type(error).__name__}
    if claims["exp"] <= asked["now"] or claims.get("nbf", 0) > asked["now"]:
        return {"no": "times"}
    wrong = [name for name, value in asked["expect"].items() if claims.get(name) != value]
    return {"no": ",".join(wrong)} if wrong else {"yes": claims}


print(json.dumps([read(attempt) for attempt in asked["attempts"]]))
