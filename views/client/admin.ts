// Admin pages: a button that copies; everything else on them is forms.

document.addEventListener("click", (event) => {
  const button = (event.target as Element).closest<HTMLElement>("[data-copy]");
  const field = document.getElementById(button?.dataset.copy ?? "");
  if (!button || !(field instanceof HTMLInputElement)) return;
  const copied = () => (button.textContent = button.dataset.copied ?? "");
  field.select();
  // Over plain HTTP a browser has no clipboard but the old one.
  if (navigator.clipboard) void navigator.clipboard.writeText(field.value).then(copied);
  else if (document.execCommand("copy")) copied();
});
