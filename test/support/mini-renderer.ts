// A folder like a built renderer's, with a secret beside it that must never be served.

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Writes <folder>/renderer/{index.html,app.js} and <folder>/secret.json; returns the renderer's folder. */
export function writeMiniRenderer(folder: string): string {
  const renderer = join(folder, 'renderer')
  mkdirSync(join(renderer, 'assets'), { recursive: true })
  writeFileSync(
    join(renderer, 'index.html'),
    '<!doctype html><title>Labdesk</title><script src="/assets/app.js"></script>',
  )
  writeFileSync(join(renderer, 'assets/app.js'), 'document.title')
  writeFileSync(join(folder, 'secret.json'), '{"secret":true}')
  symlinkSync(join(folder, 'secret.json'), join(renderer, 'linked.json'))
  return renderer
}
