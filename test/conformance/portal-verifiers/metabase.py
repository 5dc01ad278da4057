"""Metabase's /auth/sso, written from its documentation and the rules of its source. With PyJWT.

Reads {secret, site, now, attempts: [{url, method}]} on standard input; answers for each attempt who was signed in and
where they go on to, or why nobody was.
"""
import json
import sys
from urllib.parse import parse_qs, urlsplit

import jwt

MAX_AGE = 180
asked = json.load(sys.stdin)


def sign_in(attempt):
    if attempt.get("method", "GET") != "GET":
        return {"no": "POST not valid for JWT SSO requests"}
    url = urlsplit(attempt["url"])
    if f"{url.scheme}://{url.netloc}{url.path}" != f"{asked['site']}/auth/sso":
        return {"no": "another address"}
    query = parse_qs(url.query, strict_parsing=True)
    token, then = query["jwt"][-1], query.get("return_to", ["/"])[-1]
    target = urlsplit(then)
    if target.scheme or target.netloc or then.startswith(("//", "\\")):
        return {"no": "invalid redirect"}
    try:
        # The clock is the test's, so times are compared below.
        claims = jwt.decode(token, asked["secret"], algorithms=["HS256"], options={"verify_exp": False, "verify_iat": False})
    except jwt.PyJWTError as error:
        return {"no": type(error).__name__}
    if asked["now"] - claims["iat"] > MAX_AGE:
        return {"no": "token is older than max-age"}
    if claims.get("exp", asked["now"] + 1) <= asked["now"]:
        return {"no": "token is expired"}
    if not claims.get("email"):
        return {"no": "email"}
    names = [claims.get("first_name"), claims.get("last_name")]
    return {"yes": {"email": claims["email"], "names": names, "groups": claims.get("groups", []), "page": then}}


print(json.dumps([sign_in(attempt) for attempt in asked["attempts"]]))
