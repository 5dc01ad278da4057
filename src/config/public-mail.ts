import { parse } from 'tldts';

/**
 * Whether a domain belongs to a provider where anybody can have an address. The largest, by hand: whoever claims a
 * small one is not stopped here, and an environment that claims it is believed about nobody else's people.
 */
export function isPublicMail(domain: string): boolean {
  if (PROVIDERS.has(domain)) return true;
  const { domain: registered, domainWithoutSuffix } = parse(domain, { detectIp: false });
  return registered === domain && domainWithoutSuffix !== null && BRANDS.has(domainWithoutSuffix);
}

/** Under every country's ending: yahoo.co.jp, hotmail.fr, gmx.at. */
const BRANDS: ReadonlySet<string> = new Set([
  'yahoo',
  'hotmail',
  'outlook',
  'gmx',
  'yandex',
  'rediffmail',
  'protonmail',
]);

// biome-ignore format: a table, by provider
const PROVIDERS: ReadonlySet<string> = new Set([
  'gmail.com', 'googlemail.com',
  'live.com', 'live.co.uk', 'live.fr', 'live.nl', 'live.de', 'live.it', 'live.be', 'live.ca', 'live.com.au', 'live.com.mx', 'live.dk', 'live.no', 'live.se', 'live.cn', 'live.jp', 'msn.com', 'windowslive.com', 'passport.com',
  'ymail.com', 'rocketmail.com', 'myyahoo.com', 'aol.com', 'aol.co.uk', 'aol.de', 'aol.fr', 'aim.com', 'verizon.net',
  'icloud.com', 'me.com', 'mac.com',
  'proton.me', 'pm.me', 'tutanota.com', 'tutanota.de', 'tuta.com', 'tuta.io', 'tutamail.com', 'keemail.me',
  'mail.com', 'email.com', 'usa.com', 'web.de', 'freenet.de', 't-online.de', 'arcor.de', 'mailbox.org', 'posteo.de', 'posteo.net',
  'qq.com', 'foxmail.com', '163.com', '126.com', 'yeah.net', 'sina.com', 'sina.cn', 'sohu.com', '139.com', '189.cn', 'aliyun.com', 'tom.com', '21cn.com',
  'naver.com', 'hanmail.net', 'daum.net', 'kakao.com', 'nate.com',
  'mail.ru', 'bk.ru', 'inbox.ru', 'list.ru', 'internet.ru', 'ya.ru', 'rambler.ru', 'ukr.net', 'i.ua',
  'orange.fr', 'wanadoo.fr', 'free.fr', 'laposte.net', 'sfr.fr', 'bbox.fr', 'libero.it', 'virgilio.it', 'tiscali.it', 'alice.it', 'tin.it',
  'seznam.cz', 'email.cz', 'centrum.cz', 'wp.pl', 'o2.pl', 'onet.pl', 'interia.pl', 'op.pl', 'freemail.hu', 'citromail.hu', 'abv.bg', 'mail.bg', 'azet.sk', 'sapo.pt', 'telenet.be', 'skynet.be', 'ziggo.nl', 'kpnmail.nl', 'bluewin.ch',
  'btinternet.com', 'sky.com', 'virginmedia.com', 'talktalk.net', 'ntlworld.com', 'blueyonder.co.uk',
  'comcast.net', 'att.net', 'sbcglobal.net', 'bellsouth.net', 'cox.net', 'charter.net', 'earthlink.net', 'juno.com', 'shaw.ca', 'rogers.com', 'sympatico.ca', 'bigpond.com', 'optusnet.com.au', 'xtra.co.nz',
  'uol.com.br', 'bol.com.br', 'terra.com.br', 'ig.com.br', 'globo.com', 'docomo.ne.jp', 'ezweb.ne.jp', 'softbank.ne.jp', 'nifty.com',
  'zoho.com', 'zohomail.com', 'zohomail.eu', 'fastmail.com', 'fastmail.fm', 'hey.com', 'hushmail.com', 'inbox.com', 'inbox.lv', 'lycos.com', 'excite.com', 'duck.com', 'mailinator.com', 'guerrillamail.com', 'yopmail.com',
]);
