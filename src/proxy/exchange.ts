import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import type { CallEnd, Pass } from '../outbound/breaker.ts';
import { isLostConnection, LateAnswer, Mistake, readFailure, UpstreamFault } from './failure.ts';
import type { Guard } from './guard.ts';
import type { Job, Lane, Lanes } from './lanes.ts';
import { CLIENT_STALL_MS, MAX_INTERIM_ANSWERS, SMALL_ANSWER } from './limits.ts';
import { catchRedirect } from './location.ts';
import type { Client, ProxyHooks } from './proxy.ts';
import { OUR_OWN, refuseRequest } from './refusal.ts';
import { framingOf, meterBody } from './request-body.ts';
import { rebuildHeaders } from './request-headers.ts';
import { answerCookies, answerHeaders } from './response-headers.ts';
import type { Site } from './site.ts';

/** What all exchanges with one environment share. */
export type Ground = {
  readonly site: Site;
  readonly hooks: ProxyHooks;
  readonly lanes: Lanes;
  readonly guard: Guard;
};

/** Idempotent (RFC 9110 §9.2.2): asking twice is asking once. */
const MAY_REPEAT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

const NOBODY_WAITS = new Error('nobody waits for the answer any more');

/**
 * One request, from the moment when it may be passed on until the environment's answer has been written or refused.
 * Two things end independently: what the person waits for (`#over`) and what occupies a lane (`#lane`). A person who
 * leaves aborts the request; a connection that dies ends the answer.
 */
export class Exchange implements Job, Dispatcher.DispatchHandler {
  readonly #ground: Ground;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #client: Client;
  /** Present until the breaker knows how it went. */
  #pass: Pass | undefined;
  #lane: Lane | undefined;
  /** Present from the moment when the request got onto a connection. */
  #controller: Dispatcher.DispatchController | undefined;
  #over = false;
  /** A byte of an answer has come. */
  #heard = false;
  #retried = false;
  /** Bytes that the answer's body has, where it says so and they are few. */
  #smallLength = -1;
  /** All of that body. */
  #whole: Buffer | undefined;
  #interim = 0;
  #stall: NodeJS.Timeout | undefined;
  /** Runs until the answer begins. Uploads take what they take: undici's own timer begins when they have ended. */
  #patience: NodeJS.Timeout | undefined;

  constructor(ground: Ground, request: IncomingMessage, response: ServerResponse, client: Client, pass: Pass) {
    this.#ground = ground;
    this.#request = request;
    this.#response = response;
    this.#client = client;
    this.#pass = pass;
    response.once('close', () => this.#leave());
    if (framingOf(request) === 'none') this.#patience = setTimeout(() => this.#giveUp(), ground.site.timeoutMs);
  }

  start(lane: Lane): void {
    this.#lane = lane;
    try {
      lane.client.dispatch(this.#outgoing(), this);
    } catch (error) {
      this.onResponseError(undefined, error);
    }
  }

  turnAway(why: string): void {
    this.#settle('unknown');
    if (!this.#over) this.#refuse('environment_unavailable', why);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(NOBODY_WAITS);
  }

  onResponseStarted(): void {
    this.#heard = true;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    try {
      if (status > 101 && status < 200) this.#passOver();
      else if (status < 200 || status > 599) throw new UpstreamFault('a status outside 200 to 599');
      else this.#answer(status, headers);
    } catch (error) {
      controller.abort(error as Error);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) controller.abort(NOBODY_WAITS);
    else if (chunk.length === this.#smallLength) this.#whole = chunk;
    else if (!this.#response.write(chunk)) this.#waitForClient(controller);
  }

  /** Trailers are dropped. */
  onResponseEnd(): void {
    if (this.#lane) this.#lane.served++;
    this.#freeLane();
    if (this.#over) return;
    this.#finish();
    // As text it goes out in one piece with the head; node writes a Buffer beside it.
    if (this.#whole) this.#response.end(this.#whole.toString('latin1'), 'latin1');
    else this.#response.end();
  }

  onResponseError(_controller: unknown, error: unknown): void {
    if (this.#mayRetry(error)) {
      this.#retry();
      return;
    }
    const { reason, detail, end } = readFailure(error, this.#controller !== undefined);
    this.#freeLane();
    this.#settle(error === NOBODY_WAITS ? 'unknown' : end);
    if (!this.#over) this.#refuse(reason, detail);
  }

  #outgoing(): Dispatcher.DispatchOptions {
    const { site } = this.#ground;
    const { method = '', url = '', headers: received } = this.#request;
    const headers = rebuildHeaders(this.#request, this.#client, site);
    const framing = framingOf(this.#request);
    if (framing === 'none') return { method, path: url, headers };
    const length = received['content-length'];
    if (framing === 'length' && length !== undefined) headers.push('content-length', length);
    return { method, path: url, headers, body: meterBody(this.#request, site.maxBody) };
  }

  /** An interim answer: only the final one is the person's. */
  #passOver(): void {
    if (++this.#interim > MAX_INTERIM_ANSWERS) throw new UpstreamFault('too many interim answers');
  }

  #answer(status: number, headers: IncomingHttpHeaders): void {
    clearTimeout(this.#patience);
    this.#settle('answered');
    if (this.#over) throw NOBODY_WAITS;
    const { site } = this.#ground;
    const caught = catchRedirect(status, headers.location, site, (url) => this.#askHook(url));
    if (caught) this.#redirect(caught.location, [...answerCookies(headers, site), ...(caught.cookies ?? [])]);
    else {
      this.#response.writeHead(status, answerHeaders(headers, status, site));
      const length = Number(headers['content-length']);
      if (length <= SMALL_ANSWER) this.#smallLength = length;
    }
  }

  #askHook(url: URL): ReturnType<ProxyHooks['catchRedirect']> {
    try {
      return this.#ground.hooks.catchRedirect(url, this.#request);
    } catch {
      throw new Mistake('catchRedirect threw');
    }
  }

  /** In place of the environment's answer; 303 after a POST, so that the form is not posted on (RFC 9110 §15.4.4). */
  #redirect(location: string, cookies: readonly string[]): void {
    const head = { ...OUR_OWN, location, 'content-length': 0, 'set-cookie': [...cookies] };
    this.#response.writeHead(this.#request.method === 'POST' ? 303 : 302, head);
    this.#finish();
    this.#response.end();
  }

  #waitForClient(controller: Dispatcher.DispatchController): void {
    if (this.#stall) return;
    controller.pause();
    this.#stall = setTimeout(() => this.#response.destroy(), CLIENT_STALL_MS);
    this.#response.once('drain', () => {
      this.#clearStall();
      if (!this.#over) controller.resume();
    });
  }

  #mayRetry(error: unknown): boolean {
    if (this.#retried || this.#heard || this.#over || !this.#lane || this.#lane.served === 0) return false;
    const { method = '' } = this.#request;
    return isLostConnection(error) && MAY_REPEAT.has(method) && framingOf(this.#request) === 'none';
  }

  /** On the same lane, and so on a connection of its own: the others may have died with this one. */
  #retry(): void {
    this.#retried = true;
    this.#controller = undefined;
    setImmediate(() => {
      if (this.#lane && !this.#over) {
        this.start(this.#lane);
        return;
      }
      this.#freeLane();
      this.#settle('unknown');
    });
  }

  #leave(): void {
    if (this.#over) return;
    this.#finish();
    if (this.#controller) this.#controller.abort(NOBODY_WAITS);
    else if (!this.#lane) {
      this.#ground.lanes.cancel(this);
      this.#settle('unknown');
    }
  }

  /** Wherever the request is by now. */
  #giveUp(): void {
    if (this.#controller) this.#controller.abort(new LateAnswer());
    else if (this.#lane) this.#refuse('environment_timeout', 'no connection in time');
    else {
      this.#ground.lanes.cancel(this);
      this.turnAway('no connection came free in time');
    }
  }

  #refuse(reason: Parameters<ProxyHooks['refuse']>[0], detail: string): void {
    this.#finish();
    refuseRequest(this.#ground.hooks, this.#request, this.#response, reason, detail);
  }

  #finish(): void {
    this.#over = true;
    clearTimeout(this.#patience);
    this.#clearStall();
  }

  #clearStall(): void {
    clearTimeout(this.#stall);
    this.#stall = undefined;
  }

  #freeLane(): void {
    if (!this.#lane) return;
    this.#ground.lanes.leave(this.#lane);
    this.#lane = undefined;
  }

  #settle(end: CallEnd): void {
    if (this.#pass === undefined) return;
    this.#ground.guard.settle(this.#pass, end);
    this.#pass = undefined;
  }
}
