// What a user does on the screens, in the words of the English window; the same on the desktop and over the web host. Waits for what
// is seen, never for a time.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator, Page } from '@playwright/test'
import { expect } from './launch.ts'

/** For jobs of seconds on a quiet machine; a busy one may take its time. */
export const jobTimeout = 180_000

/** Pictures of the flow are written here when it is set. */
const shotsFolder = process.env['LABDESK_SHOTS']

/** Goes to a screen by the rail. */
export async function visit(page: Page, screen: string): Promise<Locator> {
  await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: screen, exact: true }).click()
  await expect(page.getByRole('heading', { level: 1, name: screen, exact: true })).toBeVisible()
  return page.getByTestId(`screen-${screen.toLowerCase()}`)
}

/** Saves the window as it is, in both sizes it is designed for. Only when pictures are wanted. */
export async function shoot(page: Page, name: string): Promise<void> {
  if (!shotsFolder) return
  mkdirSync(shotsFolder, { recursive: true })
  for (const [width, height] of [
    [1024, 700],
    [1440, 900],
  ] as const) {
    await page.setViewportSize({ width, height })
    await page.screenshot({ path: join(shotsFolder, `${name}-${width}.png`) })
  }
}

/** Records every text that matching elements show from now on; the answer tells them in order. */
export async function watchTexts(page: Page, selector: string): Promise<() => Promise<string[]>> {
  const key = `watched ${selector}`
  await page.evaluate(
    ({ wanted, name }) => {
      const seen: string[] = []
      const look = () => {
        const text = [...document.querySelectorAll(wanted)].map((element) => element.textContent).join('\n')
        if (text !== seen.at(-1)) seen.push(text)
      }
      look()
      new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true })
      ;(window as unknown as Record<string, string[]>)[name] = seen
    },
    { wanted: selector, name: key },
  )
  return () => page.evaluate((name) => (window as unknown as Record<string, string[]>)[name] ?? [], key)
}

/** Fills the import dialog and imports; the dialog stays with its outcome. */
export async function importTaxonomy(page: Page, from: { taxonomy: string; documents: string }): Promise<Locator> {
  await visit(page, 'Taxonomy')
  await page.getByRole('button', { name: 'Import a folder' }).first().click()
  const dialog = page.getByRole('dialog', { name: 'Import a folder' })
  await dialog.getByLabel('Folder with qna.yaml files').fill(from.taxonomy)
  await dialog.getByLabel('Folder with their documents').fill(from.documents)
  await dialog.getByRole('button', { name: 'Import a folder' }).click()
  const outcomes = dialog.getByTestId('import-outcomes')
  await expect(outcomes).toBeVisible({ timeout: 60_000 })
  return dialog
}

/** Asks for samples of a few leaves and starts; the run's pane is shown then. */
export async function startGeneration(page: Page, quotas: Record<string, number>): Promise<Locator> {
  await visit(page, 'Generate')
  await page.getByRole('button', { name: 'New generation' }).first().click()
  await page.getByRole('checkbox', { name: 'All leaves' }).uncheck()
  for (const [leaf, quota] of Object.entries(quotas))
    await page.getByLabel(`Samples wanted ${leaf}`, { exact: true }).fill(String(quota))
  // Stricter than usual, so that even a short run has near duplicates to show.
  await page.getByLabel('Near duplicate from').fill('0.6')
  await page.getByRole('button', { name: 'Start generating' }).click()
  const pane = page.getByTestId('generation-pane')
  await expect(pane).toBeVisible()
  return pane
}

/** Waits until the job of a run's pane is done. A job that fails shows why, and fails the test with it. */
export async function waitForJob(pane: Locator): Promise<void> {
  const line = pane.getByTestId('job-line')
  await expect(line.locator('.tag')).toHaveText(/done|failed|cancelled|paused/, { timeout: jobTimeout })
  await expect(line).toHaveText('done')
}

/** Freezes what is accepted now; the dataset is open then. */
export async function freezeDataset(page: Page, name: string): Promise<Locator> {
  const screen = await visit(page, 'Datasets')
  await screen.getByRole('button', { name: 'Freeze a dataset' }).first().click()
  const dialog = page.getByRole('dialog', { name: 'Freeze a dataset' })
  await dialog.getByLabel('Name').fill(name)
  await dialog.getByRole('button', { name: 'Freeze a dataset' }).click()
  await expect(dialog).toBeHidden()
  await expect(screen.getByRole('heading', { name, exact: true })).toBeVisible()
  return screen
}

export interface TuningWish {
  preset: string
  epochs: number
  /** Exams of the plan that are left out. */
  without: string[]
}

/** Takes a preset, edits it and starts; the run's pane is shown then. */
export async function startTuning(page: Page, { preset, epochs, without }: TuningWish): Promise<Locator> {
  const screen = await visit(page, 'Tune')
  await screen.getByRole('button', { name: 'New tuning' }).first().click()
  await screen.getByRole('combobox', { name: 'Preset' }).click()
  await page.getByRole('option', { name: preset, exact: true }).click()
  const editor = page.getByTestId('plan-editor')
  await expect(editor.getByLabel('Name')).toHaveValue(/workstation/)
  const fields = editor.getByLabel(/^Epochs /)
  await expect(fields).not.toHaveCount(0)
  for (const field of await fields.all()) await field.fill(String(epochs))
  const exams = editor.locator('.mantine-MultiSelect-pill')
  for (const exam of without) await exams.filter({ hasText: exam }).locator('button').click()
  await editor.getByText('Further options').click()
  await expect(editor.getByLabel('Embedding noise')).toBeVisible()
  await editor.getByTestId('plan-options').scrollIntoViewIfNeeded()
  await shoot(page, '10-tune-options')
  await expect(editor.getByText('peak memory')).toBeVisible()
  await editor.getByRole('button', { name: 'Start tuning' }).click()
  const pane = page.getByTestId('tuning-pane')
  await expect(pane).toBeVisible()
  return pane
}

export interface ChatAnswer {
  model: string
  text: string
  /** Texts the column showed before the whole answer was there. */
  before: string[]
}

/** Sends one prompt to every column and waits for the answers. */
export async function askSideBySide(page: Page, prompt: string): Promise<ChatAnswer[]> {
  await visit(page, 'Chat')
  const columns = page.getByTestId('chat-column')
  await expect(columns).toHaveCount(2)
  const watched = await Promise.all(
    [1, 2].map((place) =>
      watchTexts(page, `[data-testid=chat-column]:nth-of-type(${place}) [data-testid=turn-assistant] .prose`),
    ),
  )
  await page.getByLabel('Write a prompt').fill(prompt)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: 'Stop' }).or(page.getByText(/tokens in/).first())).toBeVisible()
  await expect(columns.getByText(/tokens in/)).toHaveCount(2, { timeout: jobTimeout })
  return Promise.all(
    watched.map(async (seen, place) => {
      const column = columns.nth(place)
      const text = (await column.getByTestId('turn-assistant').locator('.prose').textContent()) ?? ''
      const before = (await seen()).map((one) => one.replace('▍', '')).filter((one) => one !== '' && one !== text)
      return { model: (await column.getAttribute('aria-label')) ?? '', text, before }
    }),
  )
}
