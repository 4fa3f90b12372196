// Choices that the server writes into every page, for a year.
const year_s = 31536000;

export function rememberInCookie(name, value) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${value}; Path=/; Max-Age=${year_s}; SameSite=Lax${secure}`;
}
