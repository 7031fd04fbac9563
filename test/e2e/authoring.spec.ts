// A taxonomy in its author's hands: files with mistakes are repaired in the import dialog, leaves are moved by mouse and by keyboard, a
// leaf is edited, compared with what it was and restored, a removal is undone. No model is needed for any of it.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { ElectronApplication, Locator, Page } from '@playwright/test'
import { expect, startApp, test } from './launch.ts'
import { importTaxonomy, shoot, visit } from './screens.ts'
import { writeMoorTaxonomy } from './sources.ts'

/** Tabs, a number as text, a misspelt key, the same seed twice, spaces at a line's end, no last line break. */
const slips = `created_by: ada
version: "3"
task_descripton: Say how many guests there are.
seed_examples:
  - question: Ada and Ben are here. How many guests?
\t\tanswer: 2
  - question: Nobody is here. How many guests?  
    answer: 'none'
  - question: Nobody is here. How many guests?
    answer: 'none'
  - question: Cleo is here. How many guests?
    answer: 'one'`
const slipLeaf = 'compositional_skills/household/guests'

test.describe('the author of a taxonomy', () => {
  test.describe.configure({ mode: 'serial', timeout: 120_000 })

  let folder: string
  let electron: ElectronApplication
  let page: Page

  test.beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'labdesk-authoring-'))
    electron = await startApp(join(folder, 'data'), {})
    page = await electron.firstWindow()
  })

  test.afterAll(async () => {
    await electron.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })

  const row = (name: string): Locator => page.getByRole('treeitem', { name, exact: false })
  async function expectAccessible(what: string): Promise<void> {
    const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze()
    const found = violations.map(({ id, nodes }) => `${what}: ${id}: ${nodes.map(({ target }) => target).join(', ')}`)
    expect.soft(found).toEqual([])
  }

  test('repairs a file full of slips with one button, after seeing what changes', async () => {
    const sources = writeMoorTaxonomy(folder)
    const file = join(sources.taxonomy, slipLeaf, 'qna.yaml')
    mkdirSync(join(sources.taxonomy, slipLeaf))
    writeFileSync(file, slips)
    await expect(page.getByTestId('screen-overview')).toBeVisible({ timeout: 60_000 })
    const dialog = await importTaxonomy(page, sources)
    await expect(dialog.getByText('1 valid, 0 upgraded, 2 refused.')).toBeVisible()
    await dialog.getByText('The line is indented with a tab.').scrollIntoViewIfNeeded()
    await shoot(page, '30-import-slips')
    await expectAccessible('import')
    await dialog.getByRole('button', { name: 'Repair', exact: true }).first().click()
    const preview = page.getByRole('dialog', { name: 'What the repair changes' })
    await expect(preview.getByTestId('text-diff')).toContainText('→   →   answer: 2')
    await shoot(page, '31-repair-preview')
    await expectAccessible('repair')
    await preview.getByRole('button', { name: 'Repair' }).click()
    await expect(preview).toBeHidden()
    await dialog.getByRole('button', { name: 'Repair all' }).click()
    await expect(preview.getByText('repeated seed')).toBeVisible()
    await preview.getByRole('button', { name: 'Repair' }).click()
    await expect(dialog.getByText('2 valid, 0 upgraded, 1 refused.')).toBeVisible()
    expect(readFileSync(file, 'utf8')).toContain("    answer: '2'\n")
    await dialog.getByRole('button', { name: 'Close' }).last().click()
    await expect(row('guests')).toBeVisible()
  })

  test('drags a leaf to another folder, and takes that back', async () => {
    await row('guests').dragTo(row('household'))
    await expect(row('guests')).toHaveAttribute('aria-level', '3')
    await row('guests').dragTo(row('Compositional skills'))
    await expect(row('guests')).toHaveAttribute('aria-level', '2')
    await shoot(page, '32-moved')
    await page.getByRole('alert').getByRole('button', { name: 'Undo' }).click()
    await expect(row('guests')).toHaveAttribute('aria-level', '3')
  })

  test('renames a leaf by keyboard alone', async () => {
    await row('guests').click()
    await expect(page.getByLabel('Question 1', { exact: true })).toHaveValue('Ada and Ben are here. How many guests?')
    await page.getByRole('tree').focus()
    await page.keyboard.press('F2')
    const dialog = page.getByRole('dialog', { name: 'Rename or move' })
    await expect(dialog.getByRole('combobox', { name: 'New path' })).toBeFocused()
    await page.keyboard.press('Control+a')
    await page.keyboard.type('compositional_skills/household/visitors')
    await shoot(page, '33-rename')
    await expectAccessible('rename')
    await page.keyboard.press('Enter')
    await expect(dialog).toBeHidden()
    await expect(row('visitors')).toHaveAttribute('aria-selected', 'true')
    await expect(page.getByRole('strong').filter({ hasText: 'household/visitors' })).toBeVisible()
  })

  test('edits with undo, sees the difference, and restores an earlier state', async () => {
    const task = page.getByLabel('Task description')
    await task.fill('Count the visitors.')
    await page.keyboard.press('Control+z')
    await expect(task).toHaveValue('Say how many guests there are.')
    await page.keyboard.press('Control+Shift+z')
    await expect(task).toHaveValue('Count the visitors.')
    await page.getByRole('button', { name: 'Add an earlier turn to seed 1' }).click()
    await page.getByLabel('Earlier question 1.1').fill('Good evening.')
    await page.getByLabel('Earlier answer 1.1').fill('Good evening, who is here?')
    await page.getByRole('combobox', { name: 'Answer format' }).click()
    await page.getByRole('option', { name: 'one word' }).click()
    await page.getByRole('button', { name: 'Save' }).click()
    await expect(page.getByText('The leaf was saved.')).toBeVisible()
    await expect(page.getByTestId('leaf-problems')).toContainText('is not one word')
    await shoot(page, '34-editor')
    await page.getByRole('button', { name: 'History' }).click()
    const history = page.getByRole('dialog', { name: 'History of compositional_skills/household/visitors' })
    await expect(history.getByTestId('text-diff')).toContainText('+ task_description: Count the visitors.')
    await shoot(page, '35-history')
    await expectAccessible('history')
    await history
      .getByRole('button', { name: /imported/ })
      .first()
      .click()
    await history.getByRole('button', { name: 'Restore this state' }).click()
    await expect(history).toBeHidden()
    await expect(task).toHaveValue('Say how many guests there are.')
    await expect(page.getByTestId('draft-state')).toHaveText('')
    await expect(page.getByLabel('Earlier question 1.1')).toHaveCount(0)
  })

  test('removes a leaf and brings it back', async () => {
    await page.getByRole('tree').focus()
    await page.keyboard.press('Delete')
    await expect(row('visitors')).toHaveCount(0)
    await page.getByRole('alert').filter({ hasText: 'was removed' }).getByRole('button', { name: 'Undo' }).click()
    await expect(row('visitors')).toBeVisible()
  })

  test('exports with extensions, and generates only for what changed', async () => {
    await page.getByRole('button', { name: 'Export the taxonomy' }).click()
    const dialog = page.getByRole('dialog', { name: 'Export the taxonomy' })
    await dialog.getByLabel('Folder to write to').fill(join(folder, 'out'))
    await dialog.getByRole('checkbox', { name: 'With extensions' }).check()
    await dialog.getByRole('button', { name: 'Export the taxonomy' }).click()
    await expect(dialog.getByTestId('export-files')).toContainText('labdesk.yaml')
    await shoot(page, '40-export')
    await expectAccessible('export')
    await page.keyboard.press('Escape')
    await visit(page, 'Generate')
    await page.getByRole('button', { name: 'New generation' }).first().click()
    await page.getByRole('checkbox', { name: 'Only leaves changed since their last run' }).check()
    await expect(page.getByRole('checkbox', { name: 'compositional_skills/household/visitors' })).toBeChecked()
    await shoot(page, '41-only-changed')
    await expectAccessible('only changed')
    await visit(page, 'Taxonomy')
  })

  test('finds it all readable in light and dark, English and Japanese', async () => {
    await row('moor_animals').click()
    await expectAccessible('taxonomy')
    await shoot(page, '36-light')
    await visit(page, 'Settings')
    await page.getByText('dark', { exact: true }).click()
    await visit(page, 'Taxonomy')
    await row('visitors').click()
    await page.getByRole('button', { name: 'History' }).click()
    await page.getByRole('button', { name: /moved/ }).first().click()
    await page.getByRole('combobox', { name: 'Compare with' }).click()
    await page.getByRole('option', { name: /saved/ }).click()
    await expect(page.getByTestId('text-diff')).toBeVisible()
    await shoot(page, '37-dark-history')
    await expectAccessible('dark history')
    await page.keyboard.press('Escape')
    await shoot(page, '38-dark')
    await expectAccessible('dark taxonomy')
    await visit(page, 'Settings')
    await page.getByText('日本語', { exact: true }).click()
    await page.getByRole('link', { name: 'タクソノミー', exact: true }).click()
    await page.getByRole('treeitem', { name: 'visitors' }).click()
    await expect(page.getByRole('button', { name: '履歴' })).toBeVisible()
    await shoot(page, '39-japanese')
    await expectAccessible('Japanese taxonomy')
  })
})
