import { randomBytes } from 'node:crypto';
import type { Call } from './server.ts';

/** Things remembered under a random name; the oldest goes when there are more than 1,000. */
export class Memory<Value> {
  readonly #kept = new Map<string, Value>();

  keep(value: Value): string {
    const name = randomBytes(16).toString('base64url');
    this.#kept.set(name, value);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > 1000 && oldest !== undefined) this.#kept.delete(oldest);
    return name;
  }

  get(name: string): Value | undefined {
    return this.#kept.get(name);
  }

  /** Reads and forgets. */
  take(name: string): Value | undefined {
    const value = this.#kept.get(name);
    this.#kept.delete(name);
    return value;
  }
}

/**
 * Who is signed in at one party. Cookies ignore ports (RFC 6265 §8.5), and all parties but the router share
 * 127.0.0.1, so every party has a cookie name of its own.
 */
export class Sessions<Value> {
  readonly #cookie: string;
  readonly #memory = new Memory<Value>();

  constructor(cookie: string) {
    this.#cookie = cookie;
  }

  of(call: Call): Value | undefined {
    const name = call.cookies.get(this.#cookie);
    return name === undefined ? undefined : this.#memory.get(name);
  }

  /** The `Set-Cookie` header of a new session. */
  begin(value: Value): { readonly 'set-cookie': string } {
    return { 'set-cookie': `${this.#cookie}=${this.#memory.keep(value)}; Path=/; HttpOnly; SameSite=Lax` };
  }

  /** Ends the caller's session; the `Set-Cookie` header that removes its cookie. */
  end(call: Call): { readonly 'set-cookie': string } {
    this.#memory.take(call.cookies.get(this.#cookie) ?? '');
    return { 'set-cookie': `${this.#cookie}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax` };
  }
}
