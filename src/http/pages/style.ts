/** The style of every page; an operator's colours are put behind it. Logical properties only: pages are mirrored. */
export const STYLE = `
:root{color-scheme:light dark;--ground:#f5f6f8;--card:#fff;--ink:#1b2430;--soft:#556070;--line:#d5dae2;--edge:#7d8896;--accent:#1f5fbf;--on-accent:#fff}
@media (prefers-color-scheme:dark){:root{--ground:#12161c;--card:#1b2129;--ink:#e8ecf2;--soft:#a9b4c2;--line:#38424f;--edge:#717d8c;--accent:#8ab8ff;--on-accent:#0c1a30}}
*{box-sizing:border-box;margin:0}
body{min-height:100vh;min-height:100dvh;display:grid;grid-template-columns:minmax(0,1fr);place-items:center;padding:1.5rem;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main{width:100%;max-width:27rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem;padding:2rem}
main>*+*{margin-top:1.25rem}
h1{font-size:1.4rem;line-height:1.25;text-wrap:balance}
h1+p{margin-top:.5rem}
main>p+nav{margin-top:.75rem}
p{color:var(--soft)}
a{color:var(--accent);text-underline-offset:.15em}
ul{list-style:none;padding:0;display:grid;gap:.5rem}
.legs li{padding-inline-start:.8rem;border-inline-start:.25rem solid var(--line);color:var(--ink)}
.choice,.button{display:flex;align-items:center;justify-content:space-between;gap:1rem;width:100%;padding:.75rem 1rem;border:1px solid var(--edge);border-radius:.5rem;font:inherit;font-weight:600;color:var(--ink);background:transparent;text-decoration:none;cursor:pointer}
.choice::after{content:"›" / "";color:var(--soft)}
.choice:hover{border-color:var(--accent);background:var(--ground)}
.choice img{width:1.5rem;height:1.5rem;object-fit:contain}
.choice span{flex:1}
.button{justify-content:center;text-align:center;border-color:var(--accent);background:var(--accent);color:var(--on-accent)}
.button:hover{background:color-mix(in srgb,var(--accent) 88%,var(--ink))}
label{display:block;margin-bottom:.35rem;font-weight:600}
input{width:100%;padding:.7rem .8rem;margin-bottom:1rem;font:inherit;color:inherit;background:var(--card);border:1px solid var(--edge);border-radius:.5rem}
.find{display:flex;flex-wrap:wrap;gap:.5rem}
.find input{flex:1 1 10rem;width:auto;min-width:0;margin:0}
.find .button{flex:0 1 auto;width:auto}
.count{margin-top:.75rem;font-size:.875rem}
.count:empty{margin-top:0}
h2{margin:1.25rem 0 .5rem;font-size:1rem}
nav>h2:first-child{margin-top:0}
nav+p{margin-top:1.25rem}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
h1+.note{margin-top:1rem}
.note{padding:.6rem .8rem;border-inline-start:.25rem solid var(--accent);color:var(--ink)}
.brand{display:flex;align-items:center;gap:.6rem;font-weight:600;color:var(--ink)}
.brand img{max-width:8rem;height:2rem;object-fit:contain}
.reference{padding-top:1rem;border-top:1px solid var(--line);font-size:.875rem}
code{font:600 1.1em ui-monospace,monospace;color:var(--ink);user-select:all;unicode-bidi:isolate}
@keyframes appear{from{visibility:hidden;opacity:0}}
.passing{animation:appear .2s .3s both}
.late{animation:appear .2s 2s both}
@media (prefers-reduced-motion:reduce){.passing,.late{animation-duration:1ms}}
@media (max-width:30rem){body{padding:0;place-items:start stretch;background:var(--card)}main{border:0;border-radius:0;max-width:none;padding:1.5rem}}
`;
