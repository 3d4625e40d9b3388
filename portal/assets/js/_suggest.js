// Suggestions under a search field while somebody types. Without this the field is a plain one.
const PAUSE = 120;

function option(line, number) {
  const link = document.createElement("a");
  link.className = "weft-suggest__item";
  link.href = line.address;
  link.id = `suggestion-${number}`;
  link.setAttribute("role", "option");
  link.tabIndex = -1;
  const text = document.createElement("span");
  text.textContent = line.text;
  link.append(text);
  if (line.kind) {
    const kind = document.createElement("span");
    kind.className = "weft-suggest__kind";
    kind.textContent = line.kind;
    link.append(kind);
  }
  return link;
}

class Suggestions {
  constructor(field) {
    this.field = field;
    this.list = document.createElement("div");
    this.list.className = "weft-suggest";
    this.list.id = `${field.id}-suggestions`;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", field.labels[0]?.textContent ?? "");
    this.list.hidden = true;
    field.after(this.list);
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", this.list.id);
    field.setAttribute("aria-expanded", "false");
    field.addEventListener("input", (event) => {
      if (!event.isComposing) this.wait();
    });
    field.addEventListener("compositionend", () => this.wait());
    field.addEventListener("keydown", (event) => this.key(event));
    field.addEventListener("blur", () => setTimeout(() => this.close(), 150));
  }

  wait() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PAUSE);
  }

  async ask() {
    const words = this.field.value.trim();
    this.asked?.abort();
    if (!words) return this.close();
    this.asked = new AbortController();
    try {
      const answer = await fetch(`${this.field.dataset.suggest}?q=${encodeURIComponent(words)}`, {
        signal: this.asked.signal,
      });
      if (answer.ok) this.show(await answer.json());
    } catch {
      // Nobody misses a suggestion that did not come.
    }
  }

  show(lines) {
    if (document.activeElement !== this.field) return;
    this.list.replaceChildren(...lines.map(option));
    this.at = -1;
    this.list.hidden = lines.length === 0;
    this.field.setAttribute("aria-expanded", String(lines.length > 0));
    this.field.removeAttribute("aria-activedescendant");
  }

  close() {
    clearTimeout(this.timer);
    this.list.hidden = true;
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const options = [...this.list.children];
    if (event.key === "Escape" && !this.list.hidden) {
      event.preventDefault();
      this.close();
    } else if (["ArrowDown", "ArrowUp"].includes(event.key) && !this.list.hidden) {
      event.preventDefault();
      const count = options.length;
      this.at = event.key === "ArrowDown" ? (this.at + 1) % count : (this.at <= 0 ? count : this.at) - 1;
      options.forEach((one, number) => one.setAttribute("aria-selected", String(number === this.at)));
      options[this.at].scrollIntoView({ block: "nearest" });
      this.field.setAttribute("aria-activedescendant", options[this.at].id);
    } else if (event.key === "Enter" && !this.list.hidden && this.at >= 0) {
      event.preventDefault();
      options[this.at].click();
    } else if (event.key === "Enter") {
      this.close();
    }
  }
}

export function suggestWhileTyping() {
  for (const field of document.querySelectorAll("[data-suggest]")) new Suggestions(field);
}
