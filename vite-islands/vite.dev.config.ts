// `make dev`: this server stands before Dhow, on one origin, so that Dhow and its content policy stay as they are. Pages
// come from Dhow; the islands come from src/, replaced while they run when that changes; app.css comes from static/.

import react from '@vitejs/plugin-react'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'

const CSS = fileURLToPath(new URL('../static/app.css', import.meta.url))

/** Addresses of embedded files, which hold their hash, and what stands for them here. */
function fromDisk(): Plugin {
  return {
    name: 'from-disk',
    configureServer(server) {
      server.watcher.add(CSS)
      server.watcher.on('change', (path) => path === CSS && server.ws.send({ type: 'full-reload' }))
      server.middlewares.use((request, response, next) => {
        const [, island] = /^\/static\/islands\/([a-z-]+)\.[0-9a-f]{8}\.js$/.exec(request.url ?? '') ?? []
        if (island) request.url = `/src/${island}/main.tsx`
        if (!/^\/static\/app\.[0-9a-f]{8}\.css$/.test(request.url ?? '')) return next()
        response.setHeader('Content-Type', 'text/css; charset=utf-8')
        response.setHeader('Cache-Control', 'no-store')
        response.end(readFileSync(CSS))
      })
    },
    // The policy forbids the inline script that would prepare React's replacement of components.
    transform: (code, id) => (id.endsWith('/main.tsx') ? `import '@vitejs/plugin-react/preamble'\n${code}` : null),
  }
}

export default defineConfig({
  plugins: [fromDisk(), react()],
  appType: 'custom',
  clearScreen: false,
  server: {
    host: '127.0.0.1',
    strictPort: true,
    hmr: { overlay: false },
    proxy: { '^/(?!@|src/|node_modules/)': { target: `http://${process.env.DHOW_LISTEN ?? '127.0.0.1:7070'}`, changeOrigin: false } },
  },
})
