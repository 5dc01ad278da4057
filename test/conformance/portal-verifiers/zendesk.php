<?php
/**
 * An account that takes JWT single sign-on as Zendesk's articles and samples describe it. No library.
 *
 * Reads {secret, host, now, attempts: [{url, form}]} on standard input, where `form` is what was posted; answers for
 * each attempt who was signed in and where they go on to, or why nobody was. A jti is good once.
 */
function part(string $text): string
{
    return base64_decode(strtr($text, '-_', '+/'), true) ?: '';
}

function sign_in(array $asked, array $attempt, array &$used): array
{
    ['scheme' => $scheme, 'host' => $host, 'path' => $path] = $url = parse_url($attempt['url']);
    if ("$scheme://$host$path" !== "https://{$asked['host']}/access/jwt") {
        return ['no' => 'another address'];
    }
    parse_str($url['query'] ?? '', $query);
    if (isset($query['jwt'])) {
        return ['no' => 'a token in the address'];
    }
    $parts = explode('.', $attempt['form']['jwt'] ?? '');
    if (count($parts) !== 3) {
        return ['no' => 'no token'];
    }
    [$head, $body, $signature] = $parts;
    // "signature invalid" is also what a header without typ or alg is answered with.
    if (json_decode(part($head), true) != ['typ' => 'JWT', 'alg' => 'HS256']) {
        return ['no' => 'signature invalid'];
    }
    if (!hash_equals(hash_hmac('sha256', "$head.$body", $asked['secret'], true), part($signature))) {
        return ['no' => 'signature invalid'];
    }
    $claims = json_decode(part($body), true);
    foreach (['iat', 'jti', 'email', 'name'] as $name) {
        if (($claims[$name] ?? '') === '') {
            return ['no' => "$name missing"];
        }
    }
    if (!is_int($claims['iat']) || abs($asked['now'] - $claims['iat']) > 180) {
        return ['no' => 'iat'];
    }
    if (in_array($claims['jti'], $used, true)) {
        return ['no' => 'jti used'];
    }
    $used[] = $claims['jti'];
    // Reported by users: only text with commas becomes tags.
    $tags = is_string($claims['tags'] ?? null) ? explode(',', $claims['tags']) : [];
    $to = $query['return_to'] ?? "https://{$asked['host']}/";
    return ['yes' => ['email' => $claims['email'], 'role' => $claims['role'] ?? 'user', 'tags' => $tags, 'page' => $to]];
}

$asked = json_decode(stream_get_contents(STDIN), true);
$used = [];
$verdicts = [];
foreach ($asked['attempts'] as $attempt) {
    $verdicts[] = sign_in($asked, $attempt, $used);
}
echo json_encode($verdicts);
