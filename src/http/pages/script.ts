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

/** How long an environment's page may take on the way out. Seconds. */
export const LEG_SECONDS = 5;

/**
 * Leaves at once, by the form or to the address in `data-to`, and goes on without that party where it has not answered in
 * time: while a browser waits for an answer, the page that it leaves lives on. The address becomes the one without that
 * party, so that a reload does not begin anew, and history does not grow.
 */
export const LEAVES = script(
  `
const without=document.getElementById('without'),form=document.forms[0];
const goOn=()=>location.replace(without.href);
history.replaceState(null,'',without.href);
without.addEventListener('click',event=>{event.preventDefault();goOn()});
setTimeout(goOn,${LEG_SECONDS * 1_000});
if(form)form.submit();else location.replace(without.dataset.to);
`,
  false,
);

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
