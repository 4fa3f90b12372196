// The lab's timeline: drawn over the list of the day, which says the same without this file. Every drag ends in a dialog that one also
// reaches with Enter on a booking; the server decides, and what it refuses goes back to where it was, with its sentence.
import "@event-calendar/core/index.css";
import "./css/timeline.css";
import { createCalendar, destroyCalendar, Interaction, ResourceTimeline } from "@event-calendar/core";
import { announce } from "./js/announce.js";

const refresh_ms = 20000;
const wide = window.matchMedia("(min-width: 48rem)");
const ROLES = "[role=table],[role=grid],[role=row],[role=rowgroup],[role=cell],[role=gridcell],[role=columnheader],[role=rowheader],[role=list],[role=listitem]";
const two = (number) => String(number).padStart(2, "0");

/** The wall time that a date of the calendar shows, as 2026-11-25T09:00. */
const wall = (date) =>
  `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;

/** Minutes that clocks in a zone are ahead of UTC at an instant. */
function ahead(instant, zone) {
  const parts = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(instant);
  const found = /GMT([+-])(\d\d):(\d\d)/.exec(parts.find((part) => part.type === "timeZoneName").value);
  return found ? (found[1] === "-" ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3])) : 0;
}

/** The instant at which clocks in a zone show a wall time. */
function instant(text, zone) {
  const shown = new Date(`${text}Z`).getTime();
  const first = shown - ahead(new Date(shown), zone) * 60000;
  return new Date(shown - ahead(new Date(first), zone) * 60000).toISOString();
}

/** A wall time of one zone as clocks in another show it at that instant. */
function elsewhere(text, zone, other) {
  const moment = new Date(instant(text, zone));
  return new Date(moment.getTime() + ahead(moment, other) * 60000).toISOString().slice(0, 16);
}

class Timeline {
  constructor(place) {
    this.place = place;
    this.words = JSON.parse(place.dataset.words);
    this.english = document.documentElement.lang.startsWith("en");
    this.zone = place.dataset.zone;
    this.dialogs = Object.fromEntries(["act", "make", "move"].map((name) => [name, document.getElementById(`timeline-${name}`)]));
    this.undo = null;
    this.busy = false;
    this.etag = "";
    this.places = {};
    this.looked = 0;
    this.calendar = createCalendar(place, [ResourceTimeline, Interaction], this.options());
    this.observer = new MutationObserver(() => this.plain());
    this.observer.observe(place, { childList: true, subtree: true });
    this.plain();
    this.load();
    this.timer = window.setInterval(() => this.look(), refresh_ms);
    this.dialogs.move.querySelector("form").addEventListener("submit", (event) => this.send(event));
    for (const name of ["starts", "ends", "instrument"]) {
      this.dialogs.move.querySelector(`[name=${name}]`).addEventListener("change", () => this.lookAtFigures());
    }
    this.dialogs.move.addEventListener("close", () => this.back());
    this.dialogs.act.querySelector("[data-act=move]").addEventListener("click", () => this.fromMenu());
  }

  end() {
    window.clearInterval(this.timer);
    this.observer.disconnect();
    destroyCalendar(this.calendar);
    this.place.textContent = "";
  }

  options() {
    const week = this.place.dataset.span === "week";
    return {
      view: week ? "resourceTimelineWeek" : "resourceTimelineDay",
      date: this.place.dataset.date,
      firstDay: (new Date(`${this.place.dataset.date}T00:00:00`).getDay()) % 7,
      locale: document.documentElement.lang,
      headerToolbar: { start: "", center: "", end: "" },
      slotDuration: week ? "04:00" : "01:00",
      slotWidth: week ? 76 : 64,
      snapDuration: "00:15",
      slotLabelFormat: { hour: "2-digit", minute: "2-digit", hour12: false },
      dayHeaderFormat: { weekday: "short", month: "numeric", day: "numeric" },
      scrollTime: "07:00",
      height: "min(70vh, 48rem)",
      longPressDelay: 300,
      editable: false,
      selectable: true,
      unselectAuto: true,
      eventResizableFromStart: true,
      eventContent: (info) => ({ domNodes: this.content(info.event) }),
      eventDidMount: (info) => this.named(info),
      eventClick: (info) => this.openMenu(info.event),
      dragConstraint: (info) => !info.newResource || this.places[info.newResource.id]?.lab === this.places[info.oldResource?.id]?.lab,
      eventDragStart: () => (this.busy = true),
      eventDragStop: () => (this.busy = false),
      eventResizeStart: () => (this.busy = true),
      eventResizeStop: () => (this.busy = false),
      eventDrop: (info) => this.dropped(info),
      eventResize: (info) => this.dropped(info),
      select: (info) => this.openMake(info.resource?.id, info.start, info.end),
    };
  }

  async load(own = false) {
    const answer = await fetch(this.place.dataset.feed, { headers: this.etag ? { "If-None-Match": this.etag } : {} }).catch(() => null);
    if (!answer || answer.status === 304 || this.held(own)) return;
    if (!answer.ok) return announce(this.words.unread);
    const feed = await answer.json();
    if (this.held(own)) return;
    if (this.etag && !own) announce(this.words.refreshed);
    this.etag = answer.headers.get("ETag") ?? "";
    this.places = Object.fromEntries(feed.instruments.map((one) => [one.id, one]));
    this.calendar.setOption("resources", feed.instruments.map((one) => this.row(one, feed.time_zone)));
    this.calendar.setOption("events", [...feed.closed.map((one) => this.closed(one)), ...feed.entries.map((one) => this.entry(one))]);
    this.place.removeAttribute("aria-busy");
  }

  /** Whether somebody drags or answers a dialog, whose booking must not be replaced under it: the next look brings the news. */
  held(own = false) {
    return this.busy || (!own && document.querySelector("dialog[open]") !== null);
  }

  look() {
    if (document.visibilityState === "visible" && !this.held()) this.load();
  }

  called(one) {
    return (this.english && one.name_en) || one.name;
  }

  row(one, zone) {
    const name = this.called(one);
    const more = [this.words[`status.${one.status}`], one.time_zone === zone ? "" : one.time_zone].filter(Boolean).join(" · ");
    return { id: String(one.id), title: more ? `${name} (${more})` : name };
  }

  closed(one) {
    return {
      id: `closed-${one.instrument}-${one.starts_at}`, resourceIds: [String(one.instrument)], display: "background",
      start: one.starts_at.slice(0, 19), end: one.ends_at.slice(0, 19), classNames: ["is-closed"], extendedProps: { word: this.words.closed },
    };
  }

  entry(one) {
    const word = this.words[one.kind === "reservation" && one.state ? `reservation.${one.state}` : one.downtime_kind ? `down.${one.downtime_kind}` : one.kind];
    const helped = one.assisted_by && this.words.assists.replace("%(who)s", () => one.assisted_by);
    return {
      id: `${one.id}-${one.instrument}`, resourceIds: [String(one.instrument)], start: one.starts_at.slice(0, 19), end: one.ends_at.slice(0, 19),
      editable: one.movable, startEditable: one.movable, durationEditable: one.movable,
      classNames: [`is-${one.kind}`, one.state ? `is-${one.state}` : ""].filter(Boolean),
      extendedProps: { ...one, word, label: (this.english && one.title_en) || one.title, person: [one.person, helped].filter(Boolean).join(", ") },
    };
  }

  content(event) {
    const { word, label } = event.extendedProps;
    const strong = document.createElement("strong");
    strong.textContent = word;
    const rest = document.createElement("span");
    rest.textContent = label ? ` ${label}` : "";
    return [strong, rest];
  }

  named(info) {
    const { word, label, person } = info.event.extendedProps;
    if (info.event.display === "background") return;
    const when = `${wall(info.event.start).slice(11)}–${wall(info.event.end).slice(11)}`;
    info.el.setAttribute("aria-label", [when, word, label, person].filter(Boolean).join(", "));
    info.el.title = info.el.getAttribute("aria-label");
  }

  /** The library draws a table that is none: its roles are taken away, the list below is what one reads in order. */
  plain() {
    for (const one of this.place.querySelectorAll(ROLES)) one.removeAttribute("role");
    for (const one of this.place.querySelectorAll("[aria-colindex],[aria-rowindex],[aria-colcount],[aria-rowcount]")) {
      for (const name of ["aria-colindex", "aria-rowindex", "aria-colcount", "aria-rowcount"]) one.removeAttribute(name);
    }
    // An empty week holds nothing that takes the focus, and could not be scrolled with keys.
    const scrolled = this.place.querySelector(".ec-main");
    if (scrolled) scrolled.tabIndex = 0;
  }

  openMenu(event) {
    const about = event.extendedProps;
    if (!about.kind) return;
    this.chosen = event;
    const dialog = this.dialogs.act;
    dialog.querySelector("[data-name]").textContent = [about.word, about.label, about.person].filter(Boolean).join(" · ");
    dialog.querySelector("[data-when]").textContent = `${wall(event.start).replace("T", " ")} – ${wall(event.end).replace("T", " ")}`;
    const links = {
      open: about.reservation && this.place.dataset.reservation.replace("/0/", `/${about.reservation}/`),
      suggest: about.state === "requested" && this.place.dataset.suggest.replace("/0/", `/${about.reservation}/`),
      outage: about.downtime && this.place.dataset.outage.replace("/0/", `/${about.downtime}/`),
    };
    for (const [name, address] of Object.entries(links)) {
      const link = dialog.querySelector(`[data-act=${name}]`);
      link.hidden = !address;
      if (address) link.href = address;
    }
    dialog.querySelector("[data-act=move]").hidden = !about.movable;
    dialog.showModal();
  }

  fromMenu() {
    this.dialogs.act.close();
    this.openMove(this.chosen.extendedProps, this.chosen.start, this.chosen.end, this.chosen.resourceIds[0], null);
  }

  dropped(info) {
    this.openMove(info.event.extendedProps, info.event.start, info.event.end, info.newResource?.id ?? info.event.resourceIds[0], info.revert);
  }

  openMove(about, start, end, place, undo) {
    this.undo = undo;
    const form = this.dialogs.move.querySelector("form");
    form.reset(); // an agreement, and a reason, are those of one booking
    this.dialogs.move.querySelector("[data-name]").textContent = [about.label, about.person].filter(Boolean).join(" · ");
    form.dataset.reservation = about.reservation;
    form.dataset.key = crypto.randomUUID();
    form.elements.starts.value = wall(start);
    form.elements.ends.value = wall(end);
    const lab = this.places[place].lab;
    const choices = Object.values(this.places).filter((one) => one.lab === lab);
    form.elements.instrument.replaceChildren(...choices.map((one) => new Option(this.called(one), one.id, false, String(one.id) === String(place))));
    this.problem("");
    this.lookAtFigures();
    this.dialogs.move.showModal();
    form.elements.reason.focus();
  }

  /** What the request of the form says. */
  asked(form) {
    return {
      starts_at: instant(form.elements.starts.value, this.zone), ends_at: instant(form.elements.ends.value, this.zone),
      ...(form.elements.instrument.value ? { instrument: Number(form.elements.instrument.value) } : {}),
    };
  }

  post(form, path, body, more = {}) {
    return fetch(`/api/v1/reservations/${form.dataset.reservation}/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value, ...more },
      body: JSON.stringify(body),
    }).catch(() => null);
  }

  /** What it costs now and would cost then, subsidy included; nothing where the server cannot say. */
  async lookAtFigures() {
    const form = this.dialogs.move.querySelector("form");
    const place = form.querySelector("[data-figures]");
    const turn = ++this.looked;
    place.hidden = true;
    if (!form.elements.starts.value || !form.elements.ends.value) return;
    const answer = await this.post(form, "changes/look/", this.asked(form));
    const found = answer?.ok ? await answer.json().catch(() => null) : null;
    if (!found || turn !== this.looked) return;
    const yuan = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency: "CNY", currencyDisplay: "narrowSymbol" });
    for (const cell of place.querySelectorAll("[data-sum]")) {
      const [when, name] = cell.dataset.sum.split(".");
      cell.textContent = found[when] ? yuan.format(found[when][`${name}_fen`] / 100) : "";
    }
    place.querySelector("[data-dearer]").hidden = !found.dearer;
    place.hidden = false;
  }

  /** Given up, or refused: everything stands where it stood. */
  back() {
    this.undo?.();
    this.undo = null;
  }

  problem(text) {
    const place = this.dialogs.move.querySelector("[data-problem]");
    place.textContent = text;
    place.hidden = !text;
    if (text) announce(text);
  }

  async send(event) {
    event.preventDefault();
    const form = event.target;
    const key = form.dataset.key;
    const body = { ...this.asked(form), reason: form.elements.reason.value, agreed: form.elements.agreed.checked };
    const button = form.querySelector("button[type=submit]");
    button.disabled = true;
    const answer = await this.post(form, "changes/", body, { "Idempotency-Key": key });
    button.disabled = false;
    const said = (await answer?.json().catch(() => null)) ?? {};
    if (!answer?.ok) {
      this.back();
      if (answer) form.dataset.key = crypto.randomUUID(); // without one it may have been done: the next press asks for the same
      const reasons = (said.errors ?? []).map((one) => one.detail).filter(Boolean).join(" ");
      return this.problem(reasons || said.detail || this.words.unread);
    }
    this.undo = said.state === "made" ? null : this.undo;
    this.dialogs.move.close();
    announce(said.state === "made" ? this.words.moved : this.words.asked);
    this.load(true);
  }

  openMake(resource, start, end) {
    if (!resource) return;
    const dialog = this.dialogs.make;
    const [from, to] = [start, end].map((date) => elsewhere(wall(date), this.zone, this.places[resource].time_zone));
    dialog.querySelector("[data-when]").textContent = `${from.replace("T", " ")} – ${to.replace("T", " ")}`;
    const book = new URLSearchParams({ on: from.slice(0, 10), from: from.slice(11), to: to.slice(11) });
    if (to.slice(0, 10) !== from.slice(0, 10)) book.set("to_on", to.slice(0, 10));
    const stop = new URLSearchParams({ kind: "service", starts_local: from, ends_local: to });
    dialog.querySelector("[data-act=book]").href = `${this.place.dataset.book.replace("/0/", `/${resource}/`)}?${book}`;
    dialog.querySelector("[data-act=stop]").href = `${this.place.dataset.stop.replace("/0/", `/${resource}/`)}?${stop}`;
    dialog.addEventListener("close", () => this.calendar.unselect(), { once: true });
    dialog.showModal();
  }
}

function start() {
  const place = document.querySelector("[data-timeline]");
  if (!place) return;
  let shown = null;
  const draw = () => {
    if (wide.matches && !shown) shown = new Timeline(place);
    else if (!wide.matches && shown) shown = shown.end();
  };
  wide.addEventListener("change", draw);
  for (const button of document.querySelectorAll("dialog [data-close]")) button.addEventListener("click", () => button.closest("dialog").close());
  draw();
}

start();
