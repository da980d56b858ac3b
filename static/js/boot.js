// Runs before the first paint: the server has rendered the preferences, only what the browser alone
// knows is asked here: the theme of the system, and the zone it stands in (for the next page).
(() => {
  const root = document.documentElement;
  const asksSystem = () => root.dataset.themeChoice === "system";
  const light = matchMedia("(prefers-color-scheme: light)");
  const follow = () => { if (asksSystem()) root.dataset.theme = light.matches ? "light" : "dark"; };
  root.dataset.js = "";
  follow();
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  if (timeZone && !document.cookie.includes(`bl_browser_zone=${timeZone};`)) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `bl_browser_zone=${timeZone}; Max-Age=31536000; Path=/; SameSite=Lax${secure}`;
  }
  light.addEventListener("change", follow);
})();
