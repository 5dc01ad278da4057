"""Reads {jwks, tokens: [{token, alg, secret?}]} on standard input; answers what PyJWT makes of each token."""
import json
import sys

import jwt

asked = json.load(sys.stdin)
keys = jwt.PyJWKClient(asked["jwks"])


def verify(token, alg, secret=None):
    key = secret.encode() if secret else keys.get_signing_key_from_jwt(token).key
    claims = jwt.decode(
        token,
        key,
        algorithms=[alg],
        audience=asked["audience"],
        issuer=asked["issuer"],
        options={"require": ["iss", "aud", "iat", "exp", "jti", "email"]},
    )
    return {"header": jwt.get_unverified_header(token), "claims": claims}


def refuses(token, alg, secret=None):
    """Whether the same check says no to the token with its payload's first character changed."""
    header, payload, signature = token.split(".")
    try:
        verify(".".join([header, ("f" if payload[0] == "e" else "e") + payload[1:], signature]), alg, secret)
        return False
    except jwt.PyJWTError:
        return True


print(json.dumps([{**verify(**one), "refuses": refuses(**one)} for one in asked["tokens"]]))
