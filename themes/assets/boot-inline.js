// For the exported file: turns the inlined module sources into modules. A classic script, so that it runs first.

(() => {
  const view = new URLSearchParams(location.search).get('view');
  document.documentElement.dataset.view = ['presenter', 'overview', 'next'].includes(view) ? view : 'present';
  const imports = {};
  for (const script of document.querySelectorAll('script[data-module]')) {
    // Relative names mean nothing inside data: URLs, so they become names of the import map.
    const source = script.textContent.replace(/(from\s+|import\s+|import\()'\.\//g, "$1'foredeck/");
    imports[`foredeck/${script.dataset.module}`] = `data:text/javascript;charset=utf-8,${encodeURIComponent(source)}`;
  }
  const map = document.createElement('script');
  map.type = 'importmap';
  map.textContent = JSON.stringify({ imports });
  document.currentScript.after(map);
  const start = document.createElement('script');
  start.type = 'module';
  start.textContent = "import 'foredeck/player.js';";
  map.after(start);
})();
