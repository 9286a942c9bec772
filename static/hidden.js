// A page that nobody looks at holds no stream: a browser has six connections for a host. htmx pauses a stream when its
// page is hidden, but not one that begins on a page that is hidden already, such as a link opened in the background.
addEventListener("htmx:sse:after:connection", ({ detail: { connection } }) => {
  if (!document.hidden) return;
  document.dispatchEvent(new Event("visibilitychange"));
  connection.abortController.abort();
});
