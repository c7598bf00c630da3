// A small HTTP service with one thread: a health route, a page, and a page that computes.
const http = require('http');
const kept = [];
const server = http.createServer((req, res) => {
  const url = new URL(req.url, 'http://x');
  const seconds = Number(url.searchParams.get('s') || '1');
  if (url.pathname === '/report') {           // computed on the only thread
    const end = Date.now() + seconds * 1000;
    let n = 0;
    while (Date.now() < end) n += Math.sqrt(n + 1);
    res.end(String(n) + '\n');
  } else if (url.pathname === '/wait') {      // waits without the thread
    setTimeout(() => res.end('done\n'), seconds * 1000);
  } else if (url.pathname === '/upload') {
    kept.push(Buffer.alloc(Number(url.searchParams.get('mib') || '1') << 20, 1));
    res.end(String(kept.length) + '\n');
  } else if (url.pathname === '/boom') {
    setTimeout(() => { throw new Error('boom'); }, 10);
    res.end('bye\n');
  } else {
    res.end('ok\n');
  }
});
server.listen(8080);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
