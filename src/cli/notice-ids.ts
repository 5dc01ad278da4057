import type { Filter, Notice, Notices } from '../store/notices.ts';

const PAGE = 1_000;

/** The ids of all notices of a kind, however many there are. */
export async function noticeIds(
  notices: Notices,
  of: Filter,
  admits: (notice: Notice) => boolean = () => true,
): Promise<string[]> {
  const ids: string[] = [];
  for (let before: number | undefined; ; ) {
    const found = await notices.list(of, PAGE, before);
    ids.push(...found.filter(admits).map(({ id }) => id));
    before = found.at(-1)?.cursor;
    if (found.length < PAGE || before === undefined) return ids;
  }
}
