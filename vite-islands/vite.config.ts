import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// Every island becomes one self-contained ES module with a stable name. Dhow puts the content hash
// into the URL when it embeds the file, so nothing in here may import a sibling by its name.
export default defineConfig({
  build: {
    outDir: '../static/islands',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    reportCompressedSize: false,
    license: { fileName: 'LICENSES.md' },
    rolldownOptions: {
      input: { 'env-vars': fileURLToPath(new URL('src/env-vars/main.tsx', import.meta.url)) },
      output: { format: 'es', entryFileNames: '[name].js', codeSplitting: false },
    },
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/test-setup.ts'],
    restoreMocks: true,
    unstubGlobals: true,
  },
})
