/** The grammar of RFC 6750 §2.1. One class and one tail of another character: nothing to backtrack over. @internal */
export const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
