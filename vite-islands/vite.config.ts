import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// An island's own file has a stable name, which templates use; Dhow puts the content hash into its URL when it
// embeds the file. What the islands share is one file more, which they import by its name: that name holds the
// content hash already, and Dhow serves files in chunks/ under their very names (build.rs).
export default defineConfig({
  build: {
    outDir: '../static/islands',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    reportCompressedSize: false,
    license: { fileName: 'LICENSES.md' },
    rolldownOptions: {
      input: { 'env-vars': at('src/env-vars/main.tsx'), domains: at('src/domains/main.tsx') },
      output: {
        format: 'es',
        entryFileNames: '[name].js',
        chunkFileNames: 'chunks/[name].[hash:8].js',
        hashCharacters: 'hex',
        codeSplitting: { groups: [{ name: 'shared', test: /node_modules|\/src\/(api|mount|parts)\// }] },
      },
    },
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/test-setup.ts'],
    // A machine that builds at the same time is slow.
    testTimeout: 30_000,
    restoreMocks: true,
    unstubGlobals: true,
  },
})
