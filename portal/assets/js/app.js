// The script of every page. Pages work without it: it only saves steps.
import htmx from "htmx.org";
import {
  CharacterCount,
  ErrorSummary,
  NotificationBanner,
  PasswordInput,
  ServiceNavigation,
  createAll,
} from "govuk-frontend";
import { openOnWideScreens } from "./_facets.js";
import { suggestWhileTyping } from "./_suggest.js";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
window.htmx = htmx;
for (const component of [CharacterCount, ErrorSummary, NotificationBanner, PasswordInput, ServiceNavigation]) {
  createAll(component);
}
openOnWideScreens();
suggestWhileTyping();

// A choice in the catalogue is asked for at once; words are asked for when they are sent.
document.addEventListener(
  "change",
  (event) => {
    if (event.target.matches(".weft-find__field")) event.stopPropagation();
  },
  true,
);
