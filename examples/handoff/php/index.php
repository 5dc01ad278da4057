<?php
/** An application with people of its own, and the one endpoint that lets Wayhome's support portal know them. */
declare(strict_types=1);

use Firebase\JWT\JWT;

if (is_file(__DIR__ . '/vendor/autoload.php')) {
    require __DIR__ . '/vendor/autoload.php';
}

define('PORT', getenv('PORT') ?: '4501');
define('WAYHOME_URL', getenv('WAYHOME_URL') ?: 'http://localhost:8080');
define('ENVIRONMENT', getenv('ENVIRONMENT') ?: 'us');
define('HANDOFF_SECRET', getenv('HANDOFF_SECRET') ?: '');
define('APP_URL', getenv('APP_URL') ?: 'http://127.0.0.1:' . PORT);
if (strlen(HANDOFF_SECRET) < 32) {
    throw new RuntimeException('HANDOFF_SECRET has to have 32 bytes or more (RFC 7518 §3.2)');
}

// Stand-ins for your own people and login page; the session is PHP's.
const PASSWORD = 'wayhome';
const PEOPLE = ['ada@acme.example' => 'Ada Byron', 'grace@acme.example' => 'Grace Hopper'];

/** The only address that a token may leave for: the router's return address for us, with a state and nothing else. */
function is_return_address(string $redirect_uri): bool
{
    $address = WAYHOME_URL . '/return/' . ENVIRONMENT . '?state=';
    return str_starts_with($redirect_uri, $address)
        && preg_match('/\A[A-Za-z0-9_.-]+\z/', substr($redirect_uri, strlen($address))) === 1;
}

/** GET /sso/support: the router asks who this is. Whoever is not signed in does that first, and comes back here. */
function hand_off(): void
{
    [$redirect_uri, $nonce] = [param('redirect_uri'), param('nonce')];
    if (!is_return_address($redirect_uri) || $nonce === '') {
        page(400, 'This redirect_uri is not the router’s.');
        return;
    }
    $email = $_SESSION['email'] ?? null;
    if ($email === null) {
        redirect('/login?next=' . rawurlencode($_SERVER['REQUEST_URI']));
        return;
    }
    $claims = [
        'iss' => APP_URL . '/',
        'aud' => WAYHOME_URL . '/',
        'iat' => time(),
        'exp' => time() + 60,
        'jti' => bin2hex(random_bytes(16)),
        'nonce' => $nonce,
        'email' => $email,
        'name' => PEOPLE[$email],
    ];
    redirect($redirect_uri . '&access_token=' . sign($claims));
}

/** Claims → JWT signed by HS256: by firebase/php-jwt where composer has installed it, by PHP's own functions elsewhere. */
function sign(array $claims): string
{
    if (class_exists(JWT::class)) {
        return JWT::encode($claims, HANDOFF_SECRET, 'HS256');
    }
    $input = base64url('{"alg":"HS256","typ":"JWT"}') . '.' . base64url(json_encode($claims, JSON_THROW_ON_ERROR));
    return $input . '.' . base64url(hash_hmac('sha256', $input, HANDOFF_SECRET, true));
}

function base64url(string $bytes): string
{
    return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
}

/** GET /logout: ends our session, then goes where the router's sign-out goes on, and nowhere else. */
function log_out(): void
{
    $_SESSION = [];
    session_destroy();
    $return_to = param('return_to');
    $allowed = str_starts_with($return_to, WAYHOME_URL . '/logout/') && preg_match('/\A[\x21-\x7e]+\z/', $return_to) === 1;
    redirect($allowed ? $return_to : '/');
}

function log_in(): void
{
    [$email, $password] = [$_POST['email'] ?? '', $_POST['password'] ?? ''];
    if (!is_string($email) || !isset(PEOPLE[$email]) || $password !== PASSWORD) {
        login_page();
        return;
    }
    session_regenerate_id(true);
    $_SESSION['email'] = $email;
    redirect(next_address());
}

/** Where a login goes on: an address that is not one of ours would be an open redirect. */
function next_address(): string
{
    return preg_match('{\A/sso/support\?[\x21-\x7e]*\z}', param('next')) === 1 ? param('next') : '/';
}

function login_page(): void
{
    page(200, '<form method="post" action="/login?next=' . rawurlencode(next_address()) . '">
<p>People: ' . implode(', ', array_keys(PEOPLE)) . '. Password: ' . PASSWORD . '.</p>
<label>Email <input name="email" type="email" required></label>
<label>Password <input name="password" type="password" required></label>
<button>Sign in</button></form>');
}

function home(): void
{
    $name = PEOPLE[$_SESSION['email'] ?? ''] ?? null;
    $signed_in = "<p>Signed in as $name. <a href=\"/logout\">Sign out</a></p>";
    page(200, $name === null ? '<p><a href="/login">Sign in</a></p>' : $signed_in);
}

function param(string $name): string
{
    return is_string($_GET[$name] ?? null) ? $_GET[$name] : '';
}

function redirect(string $location): void
{
    page(303, '');
    header('Location: ' . $location, true, 303);
}

function page(int $status, string $body): void
{
    http_response_code($status);
    header('Content-Type: text/html; charset=utf-8');
    header('Cache-Control: no-store');
    header('Referrer-Policy: no-referrer');
    echo $body;
}

session_name('app_session');
session_set_cookie_params(['path' => '/', 'httponly' => true, 'samesite' => 'Lax']);
session_start(['use_strict_mode' => 1]);

match ($_SERVER['REQUEST_METHOD'] . ' ' . parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH)) {
    'GET /' => home(),
    'GET /sso/support' => hand_off(),
    'GET /login' => login_page(),
    'POST /login' => log_in(),
    'GET /logout' => log_out(),
    default => page(404, 'Nothing here.'),
};
