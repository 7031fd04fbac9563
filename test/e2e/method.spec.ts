// The whole method by hand, as a user does it: import, generate, curate by keyboard, freeze, tune, examine, chat, export. Once in the
// desktop window, its core once more over the web host in a plain browser. The demo's toy models make it; numbers are theirs, so
// what is asserted is that users see what happened, not how well toys do.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, openSync, readSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { ElectronApplication, Locator, Page } from '@playwright/test'
import { builtTrainer } from '../../main/compute/trainer-build.ts'
import { expect, root, startApp, test } from './launch.ts'
import {
  askSideBySide,
  freezeDataset,
  importTaxonomy,
  jobTimeout,
  shoot,
  startGeneration,
  startTuning,
  visit,
  waitForJob,
  watchTexts,
} from './screens.ts'
import { brokenLeaf, brokenLine, goodLeaf, writeMoorTaxonomy, writeTruncatedModel } from './sources.ts'

const skillLeaf = 'compositional_skills/household/shopping_list'
const screenNames = [
  'Overview',
  'Models',
  'Taxonomy',
  'Documents',
  'Generate',
  'Curate',
  'Datasets',
  'Tune',
  'Evaluate',
  'Chat',
  'Export',
  'Settings',
]
/** Exams that take longer than the rest of a small tuning. */
const longExams = ['Towns and people', 'Tools', 'Skills', 'Retention']
const prompt = 'Put the words in order: spoon, basket, quilt.'

test.skip(!builtTrainer(root), 'there is no trainer: install cmake and g++ or clang')

test.describe('in the desktop window', () => {
  test.describe.configure({ mode: 'serial', timeout: jobTimeout + 120_000 })

  let folder: string
  let electron: ElectronApplication
  let page: Page

  test.beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'labdesk-method-'))
    electron = await startApp(join(folder, 'data'), {})
    page = await electron.firstWindow()
  })

  test.afterAll(async () => {
    await electron.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })

  test('a fresh start shows the demo project and its one button', async () => {
    const overview = page.getByTestId('screen-overview')
    await expect(overview.getByText('demo project', { exact: true })).toBeVisible({ timeout: 60_000 })
    await expect(overview.getByRole('button', { name: 'Run the whole method' })).toBeEnabled()
    await expect(overview.getByText('toys of a few million parameters')).toBeVisible()
    await shoot(page, '01-overview-fresh')
  })

  test('an import says what is wrong with one file, and takes the other', async () => {
    const sources = writeMoorTaxonomy(folder)
    const dialog = await importTaxonomy(page, sources)
    await expect(dialog.getByText('1 valid, 0 upgraded, 1 refused.')).toBeVisible()
    const refused = dialog.getByTestId('import-outcomes')
    await expect(refused.getByText(`${brokenLeaf}/qna.yaml`)).toBeVisible()
    await expect(refused.getByText(`line ${brokenLine}, column 5`)).toBeVisible()
    await expect(refused.getByText('seed_examples[1].answer', { exact: true })).toBeVisible()
    await expect(refused.getByText('Add "answer: ..." with a text.')).toBeVisible()
    await shoot(page, '02-import')
    await dialog.getByRole('button', { name: 'Close' }).last().click()
    await page.getByRole('treeitem', { name: goodLeaf.split('/').at(-1) ?? '' }).click()
    await expect(page.getByLabel('Question 1', { exact: true })).toHaveValue('What colour is the mefel?')
    await expect(page.getByRole('treeitem', { name: 'greeting' })).toHaveCount(0)
    await shoot(page, '03-taxonomy')
    await visit(page, 'Documents')
    await expect(page.getByText('moor.md')).toBeVisible()
  })

  test('a truncated model is refused with a reason and a remedy', async () => {
    await visit(page, 'Models')
    await expect(page.getByText('Labdesk demo teacher')).toBeVisible()
    await page.getByRole('button', { name: 'Add a model' }).click()
    const dialog = page.getByRole('dialog', { name: 'Add a model' })
    const path = writeTruncatedModel(join(folder, 'cut-short.gguf'))
    await chooseInDialog({ open: path })
    await dialog.getByRole('button', { name: 'Browse…' }).click()
    await expect(dialog.getByLabel('GGUF file')).toHaveValue(path)
    await dialog.getByRole('button', { name: 'Add a model' }).click()
    const error = dialog.getByTestId('error-note')
    await expect(error).toContainText('it is cut short')
    await expect(error).toContainText('Copy or download the file again, completely.')
    await shoot(page, '04-model-refused')
    await page.keyboard.press('Escape')
    await expect(page.getByRole('row', { name: /cut-short/ })).toHaveCount(0)
  })

  test('samples stream in while the teacher writes, and the funnel counts them', async () => {
    const feed = await watchTexts(page, '[data-testid=candidate-feed] article .question')
    const pane = await startGeneration(page, { [goodLeaf]: 8, [skillLeaf]: 6 })
    await expect(pane.getByTestId('candidate-feed').getByRole('article').first()).toBeVisible({ timeout: jobTimeout })
    await shoot(page, '05-generate-running')
    await waitForJob(pane)
    expect(new Set(await feed()).size).toBeGreaterThan(3) // came in turn, not all at the end
    const funnel = pane.getByRole('table', { name: 'Per leaf and stage' })
    for (const leaf of [goodLeaf, skillLeaf]) {
      const cells = funnel.getByRole('row', { name: leaf }).getByRole('cell')
      await expect(cells.nth(1)).toHaveText(/^\d+ \/ [86]$/)
      // The list is read anew a moment after the job's end is shown.
      await expect.poll(async () => Number(await cells.nth(2).textContent())).toBeGreaterThan(0)
    }
    await expect(pane.getByText('kept', { exact: true }).first()).toBeVisible()
    await shoot(page, '06-generate-done')
  })

  test('curation works from the keyboard alone', async () => {
    await page.keyboard.press('Control+k')
    await page.getByLabel('Search for a screen or an action').fill('Curate')
    await page.keyboard.press('Enter')
    await expect(page.getByRole('heading', { level: 1, name: 'Curate' })).toBeVisible()
    await expect(page.getByRole('dialog')).toHaveCount(0)
    const pane = page.getByTestId('sample-pane')
    await page.keyboard.press('Home')
    await expect(rowAt(0)).toHaveAttribute('aria-selected', 'true')
    await page.keyboard.press('j')
    await expect(rowAt(1)).toHaveAttribute('aria-selected', 'true')
    await page.keyboard.press('k')
    await expect(rowAt(0)).toHaveAttribute('aria-selected', 'true')

    const dropped = await moveTo('dropped')
    await expect(pane.getByTestId('stage-history')).toContainText('dropped it')
    await expect(pane.getByText('Why', { exact: true })).toBeVisible()
    await shoot(page, '07-curate-dropped')
    await page.keyboard.press('a')
    await expect(rowAt(dropped)).toContainText('accepted')
    await page.keyboard.press('u')
    await expect(rowAt(dropped)).toContainText('dropped')
    await page.keyboard.press('Shift+U')
    await expect(rowAt(dropped)).toContainText('accepted')

    const accepted = await moveTo('accepted', dropped)
    await page.keyboard.press('r')
    await expect(rowAt(accepted)).toContainText('rejected')
    await page.keyboard.press('u')
    await expect(rowAt(accepted)).toContainText('accepted')

    await moveTo('accepted', dropped)
    await page.keyboard.press('e')
    await expect(pane.getByLabel('Question')).toBeFocused()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Control+End')
    await page.keyboard.type(' Seen by Ada.')
    await page.keyboard.press('Control+Enter')
    await expect(rowAt(accepted)).toContainText('edited')
    await expect(pane.getByTestId('sample-answer')).toContainText('Seen by Ada.')
    await page.keyboard.press('/')
    await page.keyboard.type('Seen by Ada')
    await expect(page.getByTestId('sample-total')).toHaveText('1 sample')
    await expect(rowAt(0)).toContainText('edited')
    await shoot(page, '08-curate-edited')
    for (let letter = 0; letter < 'Seen by Ada'.length; letter += 1) await page.keyboard.press('Backspace')
    await expect(page.getByTestId('sample-total')).not.toHaveText('1 sample')
  })

  test('what is accepted is frozen into a hashed dataset', async () => {
    const screen = await freezeDataset(page, 'Moor and shop')
    await expect(screen.getByText(/^[0-9a-f]{64}$/)).toBeVisible()
    const rows = screen.getByRole('table', { name: 'Rows' })
    await expect(rows.getByRole('row').nth(1)).toBeVisible()
    await expect(screen.getByText(goodLeaf, { exact: true })).toBeVisible()
    await shoot(page, '09-dataset')
  })

  test('a tuning is planned, started and watched to its end', async () => {
    const pane = await startTuning(page, { preset: 'Workstation, full', epochs: 2, without: longExams })
    const figures = await watchTexts(page, '[data-testid=tuning-pane] .figures')
    await expect(pane.getByTestId('loss-chart').first()).toBeVisible({ timeout: jobTimeout })
    await expect(pane.getByTestId('loss-chart').first().locator('canvas')).toBeVisible()
    await shoot(page, '10-tune-running')
    await waitForJob(pane)
    const shown = new Set(await figures())
    expect(shown.size).toBeGreaterThan(4) // step and loss moved while it ran
    for (const phase of ['KT/1', 'KT/2', 'ST']) {
      expect([...shown].some((text) => text.includes(`${phase} · `))).toBe(true)
      await expect(pane.getByTestId('phase-line').getByRole('listitem').filter({ hasText: phase })).toContainText(
        'done',
      )
    }
    await expect(pane.getByText('The tuned model is ready.')).toBeVisible()
    await expect(pane.getByRole('table', { name: 'Checkpoints' }).getByText('best').nth(3)).toBeVisible()
    await shoot(page, '11-tune-done')
  })

  test('the exams of the base stand beside those of every phase, with intervals', async () => {
    const screen = await visit(page, 'Evaluate')
    const table = screen.getByTestId('score-table')
    for (const phase of ['base', 'KT/1', 'KT/2', 'ST']) {
      const rows = table.getByRole('row').filter({ has: page.getByRole('rowheader', { name: phase, exact: true }) })
      // A phase may show several checkpoints; the chosen one sat both exams.
      const counts = async () => Promise.all((await rows.all()).map((row) => row.getByRole('button').count()))
      await expect.poll(async () => Math.max(...(await counts()))).toBe(2)
      for (const score of await rows.getByRole('button').all())
        await expect(score).toContainText(/\[\d+–\d+ %\] \d+\/\d+/)
    }
    await table.getByRole('row').last().getByRole('button').first().click()
    await expect(screen.getByTestId('answers')).toBeVisible()
    await shoot(page, '12-evaluate')
  })

  test('base and tuned model answer the same prompt side by side, word by word', async () => {
    const answers = await askSideBySide(page, prompt)
    expect(new Set(answers.map(({ model }) => model)).size).toBe(2)
    for (const { text, before } of answers) {
      expect(text).not.toBe('')
      expect(before.some((part) => text.startsWith(part))).toBe(true)
    }
    await shoot(page, '13-chat')
  })

  test('the tuned model becomes a GGUF that passed its self-test', async () => {
    const screen = await visit(page, 'Export')
    const path = join(folder, 'tuned.gguf')
    await chooseInDialog({ save: path })
    await screen.getByRole('button', { name: 'Browse…' }).first().click()
    await expect(screen.getByLabel('File to write')).toHaveValue(path)
    await screen.getByRole('button', { name: 'Write the GGUF' }).click()
    const done = screen.getByTestId('export-done')
    const outcome = done.or(screen.getByTestId('error-note'))
    await expect(outcome).toBeVisible({ timeout: jobTimeout })
    await expect(outcome).toContainText('passed its self-test')
    await expect(done).toContainText(path)
    expect(statSync(path).size).toBeGreaterThan(1_000_000)
    expect(firstBytes(path)).toBe('GGUF')
    await shoot(page, '14-export')
  })

  test('no screen breaks a rule of accessibility', async () => {
    for (const name of screenNames) {
      await visit(page, name)
      const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze()
      const found = violations.map(({ id, nodes }) => `${name}: ${id}: ${nodes.map(({ target }) => target).join(', ')}`)
      expect.soft(found).toEqual([])
      await shoot(page, `15-light-${name.toLowerCase()}`)
    }
  })

  test('the window turns dark and Japanese when told to', async () => {
    await visit(page, 'Settings')
    await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'light')
    const brightness = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const light = await brightness()
    await page.getByText('dark', { exact: true }).click()
    await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark')
    await expect.poll(brightness).not.toBe(light)
    for (const name of screenNames) {
      await visit(page, name)
      await shoot(page, `16-dark-${name.toLowerCase()}`)
    }
    await page.getByText('日本語', { exact: true }).click()
    await expect(page.getByRole('heading', { level: 1, name: '設定' })).toBeVisible()
    await expect(page.getByRole('link', { name: '概要', exact: true })).toBeVisible()
    await expect(page.locator('html')).toHaveAttribute('lang', 'ja')
    await shoot(page, '17-japanese')
  })

  const rowAt = (index: number): Locator => page.locator(`#sample-${index}`)

  /** Presses j from the top until a sample of that status is under the cursor; its place. */
  async function moveTo(status: string, otherThan = -1): Promise<number> {
    await page.keyboard.press('Home')
    const total = Number.parseInt((await page.getByTestId('sample-total').textContent()) ?? '0', 10)
    for (let index = 0; index < total; index += 1) {
      await expect(rowAt(index)).toHaveAttribute('aria-selected', 'true')
      if (index !== otherThan && (await rowAt(index).textContent())?.startsWith(status)) return index
      await page.keyboard.press('j')
    }
    throw new Error(`none of ${total} samples is ${status}`)
  }

  /** Answers the desktop's next dialogs. */
  async function chooseInDialog({ open = '', save = '' }: { open?: string; save?: string }): Promise<void> {
    await electron.evaluate(
      ({ dialog }, chosen) => {
        dialog.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths: [chosen.open] })
        dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath: chosen.save })
      },
      { open, save },
    )
  }
})

test('the core of the method works over the web host in a plain browser', async ({ dataDir, webBrowser }) => {
  test.setTimeout(2 * jobTimeout)
  const host = await startWebHost(dataDir)
  try {
    const page = await webBrowser.newPage({ viewport: { width: 1440, height: 900 } })
    await page.goto(host.link)
    await expect(page.getByText('demo project', { exact: true })).toBeVisible({ timeout: 60_000 })
    const dialog = await importTaxonomy(page, writeMoorTaxonomy(dataDir))
    await expect(dialog.getByText('1 valid, 0 upgraded, 1 refused.')).toBeVisible()
    await dialog.getByRole('button', { name: 'Close' }).last().click()
    await waitForJob(await startGeneration(page, { [goodLeaf]: 6 }))

    await visit(page, 'Curate')
    await page.keyboard.press('Home')
    await page.keyboard.press('a')
    await expect(page.locator('#sample-0')).toContainText('accepted')
    await expect(page.getByTestId('sample-list').getByRole('option', { selected: true })).toHaveId('sample-1')

    await freezeDataset(page, 'Over the web')
    const without = [...longExams, 'Creatures']
    const pane = await startTuning(page, { preset: 'Workstation, LoRA', epochs: 1, without })
    await waitForJob(pane)
    await expect(pane.getByText('The tuned model is ready.')).toBeVisible()
    for (const { text } of await askSideBySide(page, prompt)) expect(text).not.toBe('')
    await shoot(page, '20-web-chat')
  } finally {
    await host.stop()
  }
})

interface WebHost {
  link: string
  stop(): Promise<void>
}

/** The web host over a data folder, once it has printed its link. */
async function startWebHost(dataDir: string): Promise<WebHost> {
  const host: ChildProcess = spawn(process.execPath, ['main/hosts/web/main.ts', '--data-dir', dataDir], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  host.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  await expect.poll(() => said, { timeout: 60_000 }).toMatch(/http:\/\/127\.0\.0\.1:\d+\S+/)
  const [link = ''] = /http:\/\/127\.0\.0\.1:\d+\S+/.exec(said) ?? []
  const ended = new Promise((done) => host.once('exit', done))
  return {
    link,
    async stop() {
      host.kill('SIGTERM')
      await ended
    },
  }
}

function firstBytes(path: string): string {
  const bytes = Buffer.alloc(4)
  readSync(openSync(path, 'r'), bytes)
  return bytes.toString('latin1')
}
