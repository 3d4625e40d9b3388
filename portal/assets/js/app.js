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

document.body.classList.add("js-enabled", "govuk-frontend-supported");
window.htmx = htmx;
for (const component of [CharacterCount, ErrorSummary, NotificationBanner, PasswordInput, ServiceNavigation]) {
  createAll(component);
}
