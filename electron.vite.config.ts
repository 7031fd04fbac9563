// Builds the three parts of the desktop app into out/: main compiled file by file in its own places (so that paths relative to a
// module hold in the build too), the preload as one CommonJS file, which a sandboxed preload must be, and the renderer.
import { copyFileSync, globSync, mkdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'
import type { Plugin } from 'vite'

const root = import.meta.dirname
const compiledOrConfig = /(\.tsx?|tsconfig\.json)$/

/** Entries of the main build: what is started or forked by its own path. */
const entries = [
  'main/hosts/electron/main.ts',
  'main/hosts/electron/engine-process.ts',
  'main/compute/worker/llama.ts',
  'main/compute/worker/reader.ts',
]

/** `new URL('./worker/x.ts', import.meta.url)` names a compiled file in the build. */
function compiledUrls(): Plugin {
  return {
    name: 'compiled-urls',
    transform(source, id) {
      if (!id.startsWith(join(root, 'main'))) return null
      return source.replace(
        /new URL\((['"])(\.[^'"]+)\.ts\1,\s*import\.meta\.url\)/g,
        'new URL($1$2.js$1, import.meta.url)',
      )
    },
  }
}

/** Prompts, models and other files that code finds beside itself. */
function filesBesideCode(): Plugin {
  return {
    name: 'files-beside-code',
    writeBundle() {
      for (const file of globSync('main/**/*.*', { cwd: root })) {
        if (compiledOrConfig.test(file)) continue
        const target = resolve(root, 'out', file)
        mkdirSync(dirname(target), { recursive: true })
        copyFileSync(join(root, file), target)
      }
    },
  }
}

export default defineConfig({
  main: {
    plugins: [compiledUrls(), filesBesideCode()],
    build: {
      outDir: 'out/main',
      externalizeDeps: true,
      minify: false,
      rolldownOptions: {
        input: entries,
        output: { format: 'es', preserveModules: true, preserveModulesRoot: 'main', entryFileNames: '[name].js' },
      },
    },
  },
  preload: {
    build: {
      outDir: 'out/main/hosts/electron',
      emptyOutDir: false,
      externalizeDeps: false,
      rolldownOptions: {
        input: 'main/hosts/electron/preload.ts',
        output: { format: 'cjs', entryFileNames: 'preload.cjs' },
      },
    },
  },
  renderer: {
    root: 'renderer',
    base: './',
    plugins: [react()],
    build: { outDir: 'out/renderer', rolldownOptions: { input: 'renderer/index.html' } },
  },
})
