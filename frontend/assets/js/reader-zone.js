// The server writes the zone beside every time whose clock is not the reader's; so the browser tells which one that is.
import { rememberInCookie } from "./cookies.js";

export function startReaderZone() {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  if (timeZone && !document.cookie.split("; ").includes(`zone=${timeZone}`)) rememberInCookie("zone", timeZone);
}
