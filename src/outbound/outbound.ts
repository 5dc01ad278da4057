/** Contract; the one guarded way to call another server. */
export type OutboundAnswer = { readonly status: number; readonly contentType: string; readonly body: Buffer };

export type Outbound = {
  /**
   * GET with all guards on: https only (plain http on loopback), no redirect followed, private addresses refused
   * unless `allowPrivate`, 5 s in total, 256 KiB after decompression. Throws `OutboundError`.
   */
  get(url: string, options: { readonly allowPrivate: boolean; readonly accept: string }): Promise<OutboundAnswer>;
  close(): Promise<void>;
};
