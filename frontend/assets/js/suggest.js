// Suggestions while typing (the combobox pattern of WAI-ARIA). Without this the field is a plain search field that does the same.
import { announce } from "./announce.js";

const wait_ms = 150;
let number = 0;

class Suggesting {
  constructor(field) {
    this.field = field;
    this.place = document.createElement("div");
    this.place.className = "suggest";
    this.place.id = `suggest-${(number += 1)}`;
    this.place.hidden = true;
    field.closest("form").append(this.place);
    field.type = "text";
    field.enterKeyHint = "search";
    for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", this.place.id], ["aria-expanded", "false"]]) {
      field.setAttribute(name, value);
    }
    field.addEventListener("input", () => this.later());
    field.addEventListener("keydown", (event) => this.key(event));
    field.addEventListener("blur", () => this.close());
    this.place.addEventListener("mousedown", (event) => event.preventDefault());
    this.place.addEventListener("click", (event) => this.go(event.target.closest("[role=option]")));
    field.form.addEventListener("submit", () => this.close());
  }

  get options() {
    return [...this.place.querySelectorAll("[role=option]")];
  }

  get isOpen() {
    return !this.place.hidden;
  }

  later() {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.ask(), wait_ms);
  }

  async ask() {
    this.asking?.abort();
    const typed = this.field.value.trim();
    if (!typed) return this.close();
    this.asking = new AbortController();
    try {
      const answer = await fetch(`${this.field.dataset.suggest}?${new URLSearchParams({ q: typed })}`, { signal: this.asking.signal });
      if (answer.status !== 200 || document.activeElement !== this.field) return this.close();
      this.place.innerHTML = await answer.text();
    } catch {
      return this.close();
    }
    this.place.firstElementChild.id = `${this.place.id}-list`; // what scrolls is the list itself, which the field controls
    this.field.setAttribute("aria-controls", `${this.place.id}-list`);
    this.options.forEach((option, place) => (option.id = `${this.place.id}-${place}`));
    this.choose(null);
    this.place.hidden = false;
    this.field.setAttribute("aria-expanded", "true");
    announce(this.place.firstElementChild.dataset.told);
  }

  choose(option) {
    this.options.forEach((one) => one.setAttribute("aria-selected", String(one === option)));
    if (option) {
      this.field.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else this.field.removeAttribute("aria-activedescendant");
  }

  step(by) {
    const chosen = this.options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    const next = chosen < 0 && by < 0 ? this.options.length - 1 : chosen + by;
    this.choose(this.options[next] ?? null);
  }

  key(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (this.isOpen) this.step(event.key === "ArrowDown" ? 1 : -1);
      else this.ask();
    } else if (event.key === "Escape" && this.isOpen) {
      event.preventDefault();
      this.close();
    } else if (event.key === "Enter" && this.isOpen) {
      const chosen = this.place.querySelector("[aria-selected=true]");
      if (chosen) {
        event.preventDefault();
        this.go(chosen);
      } else this.close();
    }
  }

  go(option) {
    if (option) window.location.assign(option.dataset.href);
  }

  close() {
    window.clearTimeout(this.timer);
    this.asking?.abort();
    this.place.hidden = true;
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
  }
}

export function startSuggesting() {
  document.querySelectorAll("input[data-suggest]").forEach((field) => new Suggesting(field));
  document.addEventListener("click", (event) => event.target.closest?.("[data-print]") && window.print());
}
