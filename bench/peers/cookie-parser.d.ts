/** The package brings no types of its own. */
declare module 'cookie-parser' {
  import type { RequestHandler } from 'express';
  export default function cookieParser(): RequestHandler;
}
