// Everything works without this file; it makes it quicker and quieter.
import "./css/main.css";
import htmx from "htmx.org/dist/htmx.esm.js";
import { startAnnouncing } from "./js/announce.js";
import { startBell } from "./js/bell.js";
import { startBooking } from "./js/booking.js";
import { startForms } from "./js/forms.js";
import { startInbox } from "./js/inbox.js";
import { startKeeping } from "./js/keep.js";
import { startMenus } from "./js/menus.js";
import { startRecord } from "./js/record.js";
import { startRequests } from "./js/requests.js";
import { startShortcuts } from "./js/shortcuts.js";
import { startSuggesting } from "./js/suggest.js";
import { startTheme } from "./js/theme-switch.js";

window.htmx = htmx;
startRequests(htmx);
startAnnouncing();
startBell(htmx);
startForms();
startBooking();
startInbox();
startKeeping();
startMenus();
startTheme();
startShortcuts();
startRecord();
startSuggesting();
