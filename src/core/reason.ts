/**
 * The closed table of reasons for a no. A slug is never renamed and never reused.
 *
 * `status` is the HTTP status of the answer, `says` the sentence that the person reads (a key of the page
 * texts, several reasons share one so that a page tells an attacker nothing), `remedy` what the operator
 * should do. Where a token is wrong, the slug is HelpCenter.io's own name for it where it has one.
 * Reasons for a yes stand in discovery.ts (`FOUND`).
 */
export type Says =
  | 'request_wrong'
  | 'address_wrong'
  | 'not_accepted'
  | 'expired'
  | 'used'
  | 'other_browser'
  | 'not_allowed'
  | 'cancelled'
  | 'unknown_person'
  | 'environment_trouble'
  | 'no_environment'
  | 'too_many'
  | 'try_later'
  | 'our_fault';

type Row = { readonly status: number; readonly says: Says; readonly remedy: string };

const row = (status: number, says: Says, remedy: string): Row => ({ status, says, remedy });

export const REASONS = {
  // The request itself
  request_malformed: row(
    400,
    'request_wrong',
    'The request is not well formed. If a portal sent it, compare it with the portal’s preset.',
  ),
  request_parameter_missing: row(400, 'request_wrong', 'A parameter that the portal’s preset requires is absent.'),
  request_parameter_duplicated: row(
    400,
    'request_wrong',
    'A parameter stands twice. No portal does this; somebody may be probing.',
  ),
  request_parameter_mismatch: row(
    400,
    'request_wrong',
    'A parameter that must equal one of the portal’s settings does not. Compare `settings` with what the portal sends.',
  ),
  redirect_uri_malformed: row(
    400,
    'request_wrong',
    'redirect_uri is not a plain absolute URL (user info, fragment, escapes in the path or odd characters are refused).',
  ),
  redirect_uri_not_listed: row(
    400,
    'request_wrong',
    'redirect_uri is not on the preset’s list. If the portal really uses this address, add its origin and path to `allow_redirects`.',
  ),
  redirect_uri_reserved_parameter: row(
    400,
    'request_wrong',
    'redirect_uri already carries a token parameter; the portal could read the wrong one.',
  ),
  redirect_uri_wrong_tenant: row(
    400,
    'request_wrong',
    'redirect_uri names another workspace than `settings` does (for Pylon: `org_slug`).',
  ),
  request_too_long: row(414, 'request_wrong', 'The address is longer than 16 KiB.'),
  body_too_large: row(
    413,
    'request_wrong',
    'The form is larger than 64 KiB, or than 512 KiB at a return address; behind the router, larger than `max_body`.',
  ),
  header_too_large: row(431, 'request_wrong', 'The request’s headers are larger than 32 KiB.'),
  media_type_not_supported: row(415, 'request_wrong', 'Only application/x-www-form-urlencoded bodies are read.'),
  method_not_allowed: row(405, 'request_wrong', 'This address does not take this method.'),
  address_unknown: row(
    404,
    'address_wrong',
    'No portal, environment or page has this address. Compare it with `login_path` and `logout_path`.',
  ),
  rate_limited: row(429, 'too_many', 'This client exceeded `rate_limit`.'),

  // The sealed state and the browser
  state_missing: row(
    400,
    'request_wrong',
    'The environment sent the browser back without the state of its redirect_uri. It must keep the query of redirect_uri.',
  ),
  state_invalid: row(
    400,
    'not_accepted',
    'The state was not sealed by this router for this browser and this environment: altered, mixed up, or sealed with a key that has gone.',
  ),
  login_not_from_this_browser: row(
    403,
    'other_browser',
    'The browser that came back is not the one that left: the login’s cookie is absent.',
  ),
  login_expired: row(410, 'expired', 'The login took longer than `login_lifetime`.'),
  login_already_used: row(
    410,
    'used',
    'This login, or the portal’s request that it answers, was completed before; each one works once.',
  ),
  environment_disabled: row(403, 'not_allowed', 'The environment is disabled in the routes.'),
  environment_not_open_yet: row(403, 'not_allowed', 'The environment’s `from` is still to come.'),
  environment_closed: row(403, 'not_allowed', 'The environment’s `until` has passed.'),
  environment_not_offered: row(403, 'not_allowed', 'The portal’s `environments` list does not name this environment.'),
  portal_unknown: row(403, 'not_allowed', 'The portal of this login is not in the routes any more.'),
  environment_not_found: row(
    404,
    'no_environment',
    'No step of `discovery` answered. End the list with `picker` or `default`.',
  ),

  // The environment's token (names of HelpCenter.io's table first)
  jwt_invalid_signature: row(
    401,
    'not_accepted',
    'The signature does not verify: another secret or key on either side, or a key that is not published.',
  ),
  jwt_missing_required_claim: row(401, 'not_accepted', 'A claim that must be there is absent or empty.'),
  jwt_expired: row(401, 'not_accepted', '`exp` has passed, by more than the 60 s allowed for clocks.'),
  jwt_iat_in_future: row(401, 'not_accepted', '`iat` is more than 60 s ahead. Compare the environment’s clock.'),
  jwt_too_old: row(401, 'not_accepted', '`iat` is older than `max_lifetime` allows.'),
  jwt_issuer_mismatch: row(401, 'not_accepted', '`iss` is not the environment’s `issuer`, byte for byte.'),
  jwt_audience_mismatch: row(
    401,
    'not_accepted',
    '`aud` is not the router’s issuer (or the environment’s `audience`) alone.',
  ),
  jwt_replayed: row(401, 'not_accepted', 'A token with this `jti` was accepted before.'),
  sso_not_configured: row(404, 'address_wrong', 'There is no portal of this name that could be signed for.'),
  user_banned: row(403, 'not_allowed', 'The environment says that this person is suspended.'),
  jwt_malformed: row(
    401,
    'not_accepted',
    'Not a JWS in compact form with canonical base64url, or its JSON is not one plain object.',
  ),
  jwt_header_not_allowed: row(
    401,
    'not_accepted',
    'The header may hold alg, typ (JWT), kid, x5t and x5t#S256, and kid must be a plain name.',
  ),
  jwt_algorithm_not_allowed: row(401, 'not_accepted', '`alg` is not one of the environment’s `algorithms`.'),
  jwt_claim_malformed: row(401, 'not_accepted', 'A claim has the wrong type or shape.'),
  jwt_not_yet_valid: row(401, 'not_accepted', '`nbf` is more than 60 s ahead.'),
  jwt_lifetime_too_long: row(
    401,
    'not_accepted',
    '`exp` − `iat` is more than the environment’s `max_lifetime` (5 min unless set).',
  ),
  jwt_nonce_mismatch: row(
    401,
    'not_accepted',
    '`nonce` is not the one that was sent. An integration that cannot echo it needs `nonce: not_echoed`.',
  ),
  jwt_made_for_return: row(
    401,
    'not_accepted',
    'A token with a `nonce` belongs to /return and is refused at /enter and /api/auth/jwt.',
  ),
  unsolicited_not_allowed: row(
    403,
    'not_allowed',
    'A token came to /enter, and the environment does not say `unsolicited: allowed`.',
  ),

  // A token that is traded at /api/auth/jwt
  grant_type_not_supported: row(
    400,
    'request_wrong',
    '`grant_type` has to be urn:ietf:params:oauth:grant-type:token-exchange (RFC 8693); no other grant is given here.',
  ),
  token_type_not_supported: row(
    400,
    'request_wrong',
    '`subject_token_type`, and `requested_token_type` where it is sent, have to be urn:ietf:params:oauth:token-type:jwt.',
  ),
  issuer_ambiguous: row(
    401,
    'not_accepted',
    'Several environments have this `issuer`, so nobody can say whose token it is. Give each one its own.',
  ),
  exchange_not_allowed: row(
    403,
    'not_allowed',
    'This environment’s tokens cannot be traded: its login says `nonce: not_echoed`, `jti: not_sent` or `audience`, so a token that leaked from a login could not be told apart.',
  ),
  origin_not_allowed: row(
    403,
    'not_allowed',
    'The page that asked is not on the origin of the `app_url` of the environment whose token it brought.',
  ),

  // An OpenID provider's answer
  iss_parameter_missing: row(
    401,
    'not_accepted',
    'The answer has no `iss`, though the provider says that it names itself (RFC 9207): it may come from another provider. A provider with `endpoints` that cannot needs `iss_parameter: not_sent`.',
  ),
  code_missing: row(400, 'not_accepted', 'The provider’s answer has neither a code nor an error.'),
  code_refused: row(
    401,
    'not_accepted',
    'The provider does not accept the code (invalid_grant): used, expired, or made for another client, return address or browser.',
  ),
  userinfo_mismatch: row(
    401,
    'not_accepted',
    'The userinfo answer is about somebody else than the id_token, or contradicts it.',
  ),
  signed_in_too_long_ago: row(401, 'not_accepted', '`auth_time` is longer ago than `max_age`, or was not sent.'),

  // The environment's SAML response
  saml_malformed: row(
    401,
    'not_accepted',
    'No SAML 2.0 message as it has to be: XML without DOCTYPE, comments and CDATA, all required parts in it, and at most 256 KiB.',
  ),
  saml_structure_refused: row(
    401,
    'not_accepted',
    'An assertion or a signature is there twice or stands where it must not (signature wrapping); somebody may be probing.',
  ),
  saml_algorithm_not_allowed: row(
    401,
    'not_accepted',
    'Signed or encrypted with an algorithm that is not accepted. Set the provider to RSA with SHA-256, and AES.',
  ),
  saml_signature_missing: row(
    401,
    'not_accepted',
    'What `signed` names is not signed. Set the provider to sign it, or change `signed`.',
  ),
  saml_signature_invalid: row(
    401,
    'not_accepted',
    'The signature does not verify with any certificate of the provider. Compare its metadata: the key may have changed.',
  ),
  saml_decryption_failed: row(
    401,
    'not_accepted',
    'The assertion is encrypted, and not to the key of `decryption`; or there is none.',
  ),
  saml_issuer_mismatch: row(401, 'not_accepted', 'The Issuer is not the provider’s entity ID, as text.'),
  saml_audience_mismatch: row(
    401,
    'not_accepted',
    'No AudienceRestriction, or one without the router’s entity ID. Compare it with the provider’s settings.',
  ),
  saml_recipient_mismatch: row(
    401,
    'not_accepted',
    'The Recipient of the subject confirmation is not this environment’s return address.',
  ),
  saml_destination_mismatch: row(
    401,
    'not_accepted',
    'The Destination is not the address at which the message came in, or a signed message has none.',
  ),
  saml_in_response_to_mismatch: row(
    401,
    'not_accepted',
    'The message answers another request than that of this login, or none. Logins that start at the provider begin at /enter.',
  ),
  saml_expired: row(401, 'not_accepted', 'A NotOnOrAfter has passed, by more than the 60 s allowed for clocks.'),
  saml_not_yet_valid: row(
    401,
    'not_accepted',
    'An IssueInstant or NotBefore is more than 60 s ahead. Compare the provider’s clock.',
  ),
  saml_too_old: row(
    401,
    'not_accepted',
    'The message, or with `force_authn` the authentication itself, is older than `max_age`.',
  ),
  saml_authn_context_mismatch: row(
    401,
    'not_accepted',
    'The person was authenticated in a way that `authn_contexts` does not name.',
  ),

  // A relying party: a portal that signs people in by OpenID Connect
  client_refused_here: row(
    401,
    'request_wrong',
    'There is no such `client_id`, or the client did not prove itself: compare `client_secret` and `client_auth` with the portal’s settings.',
  ),
  grant_refused: row(
    400,
    'not_accepted',
    'A code, refresh token or access token that was used before, has expired, ended with its session, or was made for another client, return address or code_verifier.',
  ),
  not_signed_in: row(
    403,
    'cancelled',
    'The portal asked with `prompt=none`, and nobody is signed in to it in this browser. It has to ask without.',
  ),

  // A logout feed
  feed_secret_refused: row(
    401,
    'not_accepted',
    'Who fetches a logout feed has to send `Authorization: Bearer` and the secret of that environment’s `logout.pull`.',
  ),
  feed_crowded: row(
    429,
    'too_many',
    'Eight requests of this environment, or a thousand of all, wait at logout feeds already. One is enough for an installation.',
  ),

  // Policy
  email_malformed: row(
    403,
    'not_accepted',
    'The email is not one plain address (one @, ASCII local part without quotes, a real domain).',
  ),
  email_not_verified: row(403, 'not_accepted', 'The environment says that the email is not verified.'),
  email_domain_not_allowed: row(
    403,
    'not_accepted',
    'The email’s domain is not in this environment’s `may_assert.email_domains`.',
  ),

  // What the environment answered
  access_denied: row(
    403,
    'cancelled',
    'The environment answered error=access_denied: the person cancelled, or may not use it.',
  ),
  login_required: row(
    403,
    'cancelled',
    'The environment answered error=login_required, or that it would have to ask the person something (`prompt: none`).',
  ),
  unknown_user: row(
    403,
    'unknown_person',
    'The environment does not know this person. They may belong to another one.',
  ),
  environment_unavailable: row(
    502,
    'environment_trouble',
    'The environment could not be reached, or answered that it is temporarily unavailable.',
  ),
  environment_error: row(
    502,
    'environment_trouble',
    'The environment answered with an error, or with nothing that can be read.',
  ),
  keys_unavailable: row(
    502,
    'environment_trouble',
    'The environment’s `jwks_url` cannot be read and no good copy is left.',
  ),
  metadata_refused: row(
    502,
    'environment_trouble',
    'The provider’s metadata cannot be used: its `issuer` is not the environment’s, byte for byte, or an endpoint is absent or no https address.',
  ),
  client_refused: row(
    502,
    'environment_trouble',
    'The provider does not accept `client_id` and its proof. Compare the secret or key; some providers want `client_auth: client_secret_post`.',
  ),
  environment_timeout: row(504, 'environment_trouble', 'The environment did not answer in time.'),

  // Ourselves
  store_unavailable: row(503, 'try_later', 'The store did not answer; nothing is accepted without it.'),
  token_too_large: row(
    500,
    'our_fault',
    'The portal token is too long for a URL. Allow fewer claims, or use `delivery: { mode: form_post }`.',
  ),
  internal: row(500, 'our_fault', 'A bug. Look for this reference in the log and report it.'),
} as const satisfies Record<string, Row>;

export type Reason = keyof typeof REASONS;

/**
 * An expected no. `detail` is for the operator (log, audit); it never holds a token, a secret or a state and
 * is never shown to the person.
 */
export class Refusal extends Error {
  readonly reason: Reason;
  readonly detail: string | undefined;

  constructor(reason: Reason, detail?: string) {
    super(detail ? `${reason}: ${detail}` : reason);
    this.name = 'Refusal';
    this.reason = reason;
    this.detail = detail;
  }

  /** 4xx or 5xx; what the browser is answered with. */
  get status(): number {
    return REASONS[this.reason].status;
  }
}
