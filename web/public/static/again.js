// The list of warned zones that came with the page is all there is where the page's own script cannot run here: then
// it is loaded again and again. Written so that any browser reads it.
addEventListener('load', function () {
  setTimeout(function () {
    if (!document.documentElement.getAttribute('data-page') && navigator.onLine !== false) location.reload();
  }, 10000);
});
