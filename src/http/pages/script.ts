import { FRAMES_SECONDS } from './frames.ts';
import type { Html } from './html.ts';
import { sourceHash } from './source-hash.ts';

/** An inline script and the CSP source that allows it. No page needs one. */
export type Script = {
  readonly element: Html;
  readonly source: string;
  /** Whether it asks our own origin for more (CSP `connect-src`). */
  readonly connects: boolean;
};

const script = (text: string, connects: boolean): Script => ({
  element: { html: `<script>${text}</script>` },
  source: sourceHash(text),
  connects,
});

/** Posts the one form of a page as soon as it is read; a button does the same without JavaScript. */
export const SUBMITS = script('document.forms[0].submit()', false);

/** The same, once the frames of the page have had their time. */
export const SUBMITS_LATER = script(`setTimeout(()=>document.forms[0].submit(),${FRAMES_SECONDS * 1_000})`, false);

/**
 * Searches while somebody types, 150 ms after the last letter: asks the page that the form would lead to, and takes
 * its list and its count. The address follows, so that Back comes to the same list. Nothing is asked of the form
 * object itself: the portal's parameters stand in it under names that anybody may choose.
 */
export const SEARCHES = script(
  `
const field=document.getElementById('find'),count=document.getElementById('count'),found=document.getElementById('found');
let timer,running;
async function search(){
  const url=new URL(location.pathname,location.origin);
  url.search=new URLSearchParams(new FormData(document.getElementById('search')));
  running?.abort();
  running=new AbortController();
  try{
    const answer=await fetch(url,{signal:running.signal});
    const page=new DOMParser().parseFromString(await answer.text(),'text/html');
    const list=page.getElementById('found');
    if(!list)return;
    found.replaceChildren(...list.childNodes);
    count.textContent=page.getElementById('count').textContent;
    history.replaceState(null,'',url);
  }catch{}
}
field.addEventListener('input',()=>{clearTimeout(timer);timer=setTimeout(search,150)});
`,
  true,
);
