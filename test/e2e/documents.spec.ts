// Documents by hand: a PDF and a Word file chosen at once, chunks joined, split and left out by key, a passage made a seed's context;
// a scan is refused and does not stop the others. Light, dark and Japanese, without a violation of accessibility.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { ElectronApplication, Page } from '@playwright/test'
import { linesAt, writePdf } from '../support/pdf-writer.ts'
import { writeDocx } from '../support/zip-writer.ts'
import { expect, startApp, test } from './launch.ts'
import { importTaxonomy, shoot, visit } from './screens.ts'
import { goodLeaf, writeMoorTaxonomy } from './sources.ts'

test.describe.configure({ mode: 'serial', timeout: 120_000 })

let folder: string
let electron: ElectronApplication
let page: Page
const chunks = () => page.getByTestId('chunks')
const selected = () => chunks().getByRole('option', { selected: true })
const count = () => page.getByTestId('chunk-count')

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'labdesk-documents-'))
  electron = await startApp(join(folder, 'data'), {})
  page = await electron.firstWindow()
})
test.afterAll(async () => {
  await electron.close()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

const sentence = (at: number, number: number) => `Fact ${at} of page ${number}: the moor is wet in every season.`
const pdfPage = (number: number) => [
  { x: 72, y: 40, text: 'The Moor Quarterly', size: 9 },
  { x: 72, y: 80, text: `Part ${number}`, size: 18 },
  ...linesAt(
    [72, 110],
    Array.from({ length: 30 }, (_, at) => sentence(at, number)),
  ),
  { x: 290, y: 815, text: String(number), size: 9 },
]

test('several files are added at once, and a bad one says why', async () => {
  await importTaxonomy(page, writeMoorTaxonomy(folder))
  await page.keyboard.press('Escape')
  await visit(page, 'Documents')
  await page.getByRole('button', { name: 'Add a document' }).first().click()
  const dialog = page.getByRole('dialog', { name: 'Add a document' })
  await dialog.getByRole('combobox', { name: 'Leaf' }).click()
  await page.getByRole('option', { name: goodLeaf }).click()
  const files = {
    'moor.pdf': writePdf([pdfPage(1), pdfPage(2), pdfPage(3)]),
    'scan.pdf': writePdf([[]]),
    'plants.docx': writeDocx([
      '# Plants',
      'Moss grows on the moor.',
      [
        ['Plant', 'Colour'],
        ['moss', 'green'],
      ],
    ]),
  }
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes)
  await dialog.locator('input[type=file]').setInputFiles(Object.keys(files).map((name) => join(folder, name)))
  const outcomes = dialog.getByTestId('file-outcomes').getByRole('listitem')
  await expect(outcomes).toHaveCount(3)
  await expect(outcomes.nth(0)).toContainText('added', { timeout: 30_000 })
  await expect(outcomes.nth(1)).toContainText('has no text layer')
  await expect(outcomes.nth(1)).toContainText('OCR')
  await expect(outcomes.nth(2)).toContainText('added')
  await shoot(page, 'documents-1-added')
  await dialog.getByRole('button', { name: 'Close' }).last().click()
})

test('a PDF shows its pages, and its headers and page numbers are gone', async () => {
  await page.getByRole('button', { name: /^moor\.pdf/ }).click()
  await expect(page.getByRole('button', { name: /^moor\.pdf/ })).toContainText('PDF · 3 pages')
  await expect(selected()).toContainText('page 1')
  await expect(chunks()).not.toContainText('Quarterly')
  await shoot(page, 'documents-2-chunks')
})

test('chunks are joined, split and left out by key, and all of it undone', async () => {
  const before = Number.parseInt((await count().textContent()) ?? '', 10)
  expect(before).toBeGreaterThan(2)
  await chunks().focus()
  await page.keyboard.press('m')
  await expect(count()).toHaveText(new RegExp(`^${before - 1} chunk`))
  await expect(selected()).toContainText('over the size')
  await page.keyboard.press('u')
  await expect(count()).toHaveText(new RegExp(`^${before} chunk`))
  await page.keyboard.press('Shift+U')
  await expect(count()).toHaveText(new RegExp(`^${before - 1} chunk`))
  await page.keyboard.press('s')
  await expect(selected()).toContainText('split here')
  await page.keyboard.press('ArrowDown')
  await shoot(page, 'documents-3-split')
  await page.keyboard.press('Enter')
  await expect(count()).toHaveText(new RegExp(`^${before} chunk`))
  await page.keyboard.press('j')
  await page.keyboard.press('x')
  await expect(selected()).toContainText('left out')
  await shoot(page, 'documents-4-excluded')
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(', ')}`)).toEqual([])
})

test('a passage becomes the context of a seed in the draft of its leaf', async () => {
  await chunks().focus()
  await page.keyboard.press('c')
  await expect(page.getByText(/A seed with this context was added/)).toBeVisible()
  await visit(page, 'Taxonomy')
  await page.getByRole('treeitem', { name: goodLeaf.split('/').at(-1) ?? '' }).click()
  await expect(page.getByTestId('draft-state')).toHaveText('Draft kept, not saved yet')
  await expect(page.getByText(/Fact \d+ of page/).first()).toBeVisible()
})

test('the teacher drafts from a chunk, the student is asked what it knows; both say what they are', async () => {
  await visit(page, 'Documents')
  await page.getByRole('button', { name: /^moor\.md/ }).click()
  await expect(chunks()).toContainText('mefel')
  await chunks().focus()
  await page.keyboard.press('d')
  await expect(page.getByText(/wait under Drafts/)).toBeVisible({ timeout: 60_000 })
  await page.getByText('Drafts', { exact: true }).click()
  const drafts = page.getByTestId('drafts').getByRole('article')
  await expect(drafts).toHaveCount(2)
  await expect(drafts.first()).toContainText('draft')
  await shoot(page, 'documents-7-drafts')
  await drafts.first().getByRole('button', { name: 'Dismiss' }).click()
  await expect(drafts).toHaveCount(1)
  await page.getByRole('button', { name: 'Draft an outline' }).click()
  await expect(page.getByTestId('drafts')).toContainText('uses the compact prompts')
  await page.getByText('Seeds', { exact: true }).click()
  await page.getByRole('button', { name: 'Ask the student' }).click()
  await expect(page.getByText(/The student already knows \d+ of 15 seeds/)).toBeVisible({ timeout: 60_000 })
  await shoot(page, 'documents-8-seeds')
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(', ')}`)).toEqual([])
})

test('the keys of the screen are listed, and it looks right in the dark, small and in Japanese', async () => {
  await visit(page, 'Documents')
  await page.getByText('Chunks', { exact: true }).click()
  await page.keyboard.press('?')
  await expect(page.getByTestId('keys-list')).toContainText('Make a seed context')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)
  await page.getByRole('button', { name: /^plants\.docx/ }).click()
  await expect(chunks()).toContainText('| moss | green |')
  await page.emulateMedia({ colorScheme: 'dark' })
  await shoot(page, 'documents-5-dark')
  await visit(page, 'Settings')
  await page.getByText('dark', { exact: true }).click()
  await page.getByText('日本語', { exact: true }).click()
  await expect(page.getByRole('heading', { level: 1, name: '設定' })).toBeVisible()
  await page.getByRole('link', { name: '文書', exact: true }).click()
  await page.getByRole('button', { name: /^moor\.pdf/ }).click()
  await expect(selected()).toContainText('ページ')
  await shoot(page, 'documents-6-japanese-dark')
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(', ')}`)).toEqual([])
})
