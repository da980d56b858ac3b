// Runs before the first paint: the server has rendered the preference, only "system" is asked here.
(() => {
  const root = document.documentElement;
  const asksSystem = () => root.dataset.themeChoice === "system";
  const light = matchMedia("(prefers-color-scheme: light)");
  const follow = () => { if (asksSystem()) root.dataset.theme = light.matches ? "light" : "dark"; };
  root.dataset.js = "";
  follow();
  light.addEventListener("change", follow);
})();
