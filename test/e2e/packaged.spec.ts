// The packaged app finds what it needs inside its package: the engine, SQLite's binary, the prompts, the parsers of documents, the trainer.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { linesAt, writePdf } from '../support/pdf-writer.ts'
import { writeDocx } from '../support/zip-writer.ts'
import { expect, root, test } from './launch.ts'

const folder = join(root, 'release/linux-unpacked')

test.skip(process.platform !== 'linux', 'the package is tested on Linux only')

test('opens its window from the package', async ({ launchApp }) => {
  test.setTimeout(240_000)
  const packaging = spawnSync(process.execPath, [join(root, 'scripts/package.ts'), '--linux', 'dir'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, LABDESK_E2E: '1' },
  })
  expect(packaging.status, packaging.stdout + packaging.stderr).toBe(0)
  expect(existsSync(join(folder, 'resources/app.asar.unpacked/native/build/labdesk-trainer'))).toBe(true)
  const app = await launchApp({ executable: join(folder, 'labdesk') })
  const page = await app.firstWindow()
  // The demo's models are listed once the engine has read them out of the package and kept them in its database.
  await page.getByRole('navigation').getByText('Models').click()
  await expect(page.getByText('Labdesk demo teacher')).toBeVisible({ timeout: 60_000 })
  expect(await app.evaluate(({ app: electronApp }) => electronApp.isPackaged)).toBe(true)
  await readDocuments(page)
})

/** Every parser is in the package, and so are the tables of characters that a Japanese PDF needs. */
async function readDocuments(page: Page): Promise<void> {
  await page.getByRole('navigation').getByText('Documents').click()
  await page.getByRole('button', { name: 'Add a document' }).click()
  const dialog = page.getByRole('dialog', { name: 'Add a document' })
  await dialog.getByRole('combobox', { name: 'Leaf' }).click()
  await page.getByRole('option', { name: /^knowledge\/crafts/ }).click()
  const file = (name: string, content: Buffer | string) => ({ name, mimeType: '', buffer: Buffer.from(content) })
  const lines = ['この文書は日本語で書かれています。', '文字の表がなければ読めません。']
  await dialog
    .locator('input[type=file]')
    .setInputFiles([
      file('ja.pdf', writePdf([linesAt([72, 100], lines, { font: 'japanese' })])),
      file('a.docx', writeDocx(['# Moss', 'Moss is green.'])),
      file('a.html', '<h1>Wren</h1><p>It sings.'),
      file('a.csv', 'name,legs\nwren,2\n'),
    ])
  await expect(dialog.getByTestId('file-outcomes').getByText('added')).toHaveCount(4, { timeout: 60_000 })
  await dialog.getByRole('button', { name: 'Close' }).last().click()
  await page.getByRole('button', { name: /^ja\.pdf/ }).click()
  await expect(page.getByTestId('chunks')).toContainText('文字の表がなければ読めません。')
}
