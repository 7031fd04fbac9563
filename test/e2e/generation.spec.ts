// Generation beyond its plain run: a pipeline of one's own, a preview, a dropped sample kept after all, thresholds moved after the fact.
// Over the demo's models in the desktop window.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { ElectronApplication, Page } from '@playwright/test'
import { startRemoteServer } from '../support/remote-server.ts'
import { expect, startApp, test } from './launch.ts'
import { freezeDataset, jobTimeout, shoot, visit, waitForJob } from './screens.ts'

const knowledgeLeaf = 'knowledge/'
const skillLeaf = 'compositional_skills/household/shopping_list'

test.describe.configure({ mode: 'serial', timeout: jobTimeout + 60_000 })

let folder: string
let electron: ElectronApplication
let page: Page

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'labdesk-generation-'))
  electron = await startApp(join(folder, 'data'), {})
  page = await electron.firstWindow()
  await expect(page.getByTestId('screen-overview').getByText('demo project', { exact: true })).toBeVisible({
    timeout: 60_000,
  })
})

test.afterAll(async () => {
  await electron.close()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

async function expectAccessible(where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze()
  const found = violations.map(({ id, nodes }) => `${where}: ${id}: ${nodes.map(({ target }) => target).join(', ')}`)
  expect.soft(found).toEqual([])
}

test('a pipeline of the user is checked while it is written, and saved under its own name', async () => {
  await visit(page, 'Generate')
  await page.getByRole('button', { name: 'Pipelines', exact: true }).click()
  const pane = page.getByTestId('pipelines')
  const text = pane.getByLabel('Blocks, as YAML')
  await expect(text).toHaveValue(/name: lab/)
  const preset = await text.inputValue()
  await text.fill(preset.replace('name: lab', 'name: mine').replace('use: pair-grade', 'use: pear-grade'))
  await expect(pane.getByText('chains.freeform[6].use', { exact: true })).toBeVisible()
  await expect(pane.getByRole('button', { name: 'Save as mine' })).toBeDisabled()
  await shoot(page, '30-pipeline-problem')
  await text.fill(preset.replace('name: lab', 'name: mine').replace('use: faithful', 'use: faithful\n      votes: 3'))
  await pane.getByRole('button', { name: 'Save as mine' }).click()
  await expect(pane.getByRole('row', { name: /^mine/ })).toContainText('yours')
  await shoot(page, '31-pipeline-saved')
  await expectAccessible('pipelines')
})

test('a preview makes a few of each leaf by the pipeline that was chosen', async () => {
  await page.getByRole('button', { name: 'Back to the runs' }).click()
  await page.getByRole('button', { name: 'New generation' }).first().click()
  await page.getByRole('combobox', { name: 'Pipeline' }).click()
  await page.getByRole('option', { name: 'mine' }).click()
  await shoot(page, '32-generation-plan')
  await expectAccessible('plan')
  await page.getByRole('button', { name: 'Preview 3 a leaf' }).click()
  const pane = page.getByTestId('generation-pane')
  await expect(pane).toContainText('mine')
  await waitForJob(pane)
  const rows = pane.getByRole('table', { name: 'Per leaf and stage' }).getByRole('row')
  await expect(rows.filter({ hasText: knowledgeLeaf }).first().getByRole('cell').nth(2)).toHaveText('3')
  await shoot(page, '33-preview-done')
})

test('a run tells of each dropped sample why, and lets it be kept after all', async () => {
  await page.getByRole('button', { name: 'New generation' }).first().click()
  await page.getByRole('checkbox', { name: 'All leaves' }).uncheck()
  await page.getByLabel(`Samples wanted ${skillLeaf}`, { exact: true }).fill('24')
  await page.getByLabel('Near duplicate from').fill('0.6')
  await page.getByLabel('Keep grades from').fill('3')
  await page.getByRole('button', { name: 'Start generating' }).click()
  const pane = page.getByTestId('generation-pane')
  // Not the run before, which is done.
  await expect(pane).toContainText('/ 24')
  await waitForJob(pane)
  const dropped = pane
    .getByTestId('candidate-feed')
    .getByRole('article')
    .filter({ has: page.locator('.tag.warn') })
  await expect(dropped.first()).toBeVisible()
  await dropped.first().getByRole('button').focus()
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Candidate' })
  await expect(dialog.locator('.warn-note')).not.toBeEmpty()
  await expect(dialog.getByTestId('stage-history')).toBeVisible()
  await shoot(page, '34-candidate')
  await expectAccessible('candidate')
  const keep = dialog.getByRole('button', { name: 'Keep it after all' })
  if (await keep.isEnabled()) {
    await keep.click()
    await expect(dialog.getByRole('button', { name: 'Reject' })).toBeVisible()
  }
  await page.keyboard.press('Escape')
  await expect(dialog).toBeHidden()
})

test('thresholds show their effect before they are moved', async () => {
  const pane = page.getByTestId('generation-pane')
  const panel = pane.getByTestId('threshold-panel')
  const effect = panel.getByRole('status')
  await expect(effect).toContainText('0 come in, 0 go out')
  const slider = panel.getByRole('slider')
  await slider.focus()
  for (let step = 0; step < 30; step += 1) await page.keyboard.press('ArrowLeft')
  await expect(effect).not.toContainText('0 go out')
  await shoot(page, '35-thresholds')
  await expectAccessible('run')
  await panel.getByRole('button', { name: 'Apply' }).click()
  await expect(effect).toContainText('0 come in, 0 go out')
  await slider.focus()
  for (let step = 0; step < 30; step += 1) await page.keyboard.press('ArrowRight')
  await expect(effect).not.toContainText('0 come in')
  await panel.getByRole('button', { name: 'Apply' }).click()
  await expect(effect).toContainText('0 come in, 0 go out')
})

test('near duplicates are looked for among all that is kept, and settled pair by pair or at once', async () => {
  await visit(page, 'Generate')
  await page.getByRole('button', { name: 'New generation' }).first().click()
  await page.getByRole('checkbox', { name: 'All leaves' }).uncheck()
  await page.getByLabel(`Samples wanted ${skillLeaf}`, { exact: true }).fill('24')
  // Lets through what is not the same word for word.
  await page.getByLabel('Near duplicate from').fill('1')
  await page.getByRole('button', { name: 'Start generating' }).click()
  const run = page.getByTestId('generation-pane')
  await expect(run).toContainText('Near duplicate from 1.00', { timeout: jobTimeout })
  await waitForJob(run)
  await visit(page, 'Curate')
  await page.getByRole('button', { name: 'Near duplicates' }).click()
  await expect(page.getByText('Not looked for yet')).toBeVisible()
  await shoot(page, '39-twins-never')
  await page.getByLabel('Words from').fill('0.6')
  await page.getByRole('button', { name: 'Look for near duplicates' }).click()
  const list = page.getByTestId('twin-list')
  await expect(list.getByRole('option').first()).toBeVisible({ timeout: jobTimeout })
  const viewer = page.getByTestId('twin-viewer')
  await expect(viewer.getByRole('article')).toHaveCount(2)
  await expectAccessible('near duplicates')
  await shoot(page, '40-twins')
  const searched = page.getByTestId('twin-search')
  const pairs = async () => Number(/: (\d+) pairs?/.exec((await searched.textContent()) ?? '')?.[1])
  const before = await pairs()
  await page.keyboard.press('b')
  await expect.poll(pairs).toBe(before - 1)
  if (before > 1) {
    await page.getByRole('button', { name: 'Keep the best of each' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Keep the best of each' }).click()
    // What is near a seed stays, since seeds are not trained on.
    await expect.poll(pairs).toBeLessThan(before / 2)
    await expect(list.getByRole('option').first()).toBeVisible()
    await expect(viewer.getByText('seed', { exact: true })).toBeVisible()
    await shoot(page, '41-twins-none')
  }
})

test('a file is held out, and a run and a dataset tell what they were checked against', async () => {
  const file = join(folder, 'test set.jsonl')
  writeFileSync(file, `${JSON.stringify({ question: 'Which of the old walls is the tallest of them all?' })}\n`)
  const screen = await visit(page, 'Evaluate')
  await screen.getByRole('button', { name: 'Hold a file out' }).click()
  const dialog = page.getByRole('dialog', { name: 'Hold a file out' })
  await dialog.getByRole('textbox').fill(file)
  await dialog.getByRole('button', { name: 'Hold a file out' }).click()
  await expect(screen.getByRole('table', { name: 'Held-out files' })).toContainText('test set.jsonl')
  await expectAccessible('held-out files')
  await screen.getByRole('heading', { name: 'Held-out files' }).scrollIntoViewIfNeeded()
  await shoot(page, '42-held-out')
  const datasets = await freezeDataset(page, 'Checked')
  await expect(datasets.getByTestId('decontamination')).toContainText('test set.jsonl (1 text)')
  await expectAccessible('dataset')
  await shoot(page, '43-dataset-checked')
  await visit(page, 'Generate')
  const report = page.getByTestId('decontamination')
  await expect(report).toContainText('13 words in a row')
  await report.scrollIntoViewIfNeeded()
  await shoot(page, '44-run-checked')
})

test('a teacher on the own network is tried, used and switched off again, and the offline page says so', async () => {
  const server = await startRemoteServer({ kind: 'llama-server', answer: () => 'It sings at dawn.' })
  const screen = await visit(page, 'Settings')
  await screen.getByRole('tab', { name: 'Remote teacher' }).click()
  const form = page.getByTestId('remote-teacher')
  await expect(form).toContainText('Off: nothing leaves this machine.')
  await form.getByLabel('Address of the server').fill(server.url)
  await form.getByLabel('Name of the model').fill('big-teacher')
  await form.getByRole('button', { name: 'Test' }).click()
  await expect(form.getByRole('alert')).toContainText('big-model')
  await form.getByLabel('Name of the model').fill('big-model')
  await form.getByRole('button', { name: 'Test' }).click()
  await expect(form.getByRole('status')).toContainText('It sings at dawn.')
  // A notice that fades out is half transparent for a moment.
  await expect(page.locator('.mantine-Notification-root')).toHaveCount(0)
  await expectAccessible('remote teacher')
  await shoot(page, '46-remote-teacher')
  await form.getByRole('button', { name: 'Use this teacher' }).click()
  await expect(form).toContainText(`On: big-model at ${server.url}`)
  await visit(page, 'Models')
  await expect(page.getByRole('row', { name: /big-model/ })).toBeVisible()
  await page.goto(`${page.url().split('#')[0] ?? ''}#/settings/offline`)
  await expect(page.getByText(new URL(server.url).host).first()).toBeVisible()
  await shoot(page, '47-offline-but-for')
  await visit(page, 'Settings')
  await screen.getByRole('tab', { name: 'Remote teacher' }).click()
  await form.getByRole('button', { name: 'Switch off' }).click()
  await expect(form).toContainText('Off: nothing leaves this machine.')
  await server.close()
})

test('all of it reads in Japanese and in the dark', async () => {
  await visit(page, 'Settings')
  await page.getByText('dark', { exact: true }).click()
  await page.getByText('日本語', { exact: true }).click()
  await page.goto(`${page.url().split('#')[0] ?? ''}#/generate`)
  await expect(page.getByTestId('generation-pane')).toContainText('しきい値の変更')
  await shoot(page, '36-run-dark-ja')
  await expectAccessible('dark run')
  await page.goto(`${page.url().split('#')[0] ?? ''}#/generate/pipelines`)
  await expect(page.getByTestId('pipelines')).toBeVisible()
  await shoot(page, '37-pipelines-dark-ja')
  await page.goto(`${page.url().split('#')[0] ?? ''}#/generate/new`)
  await expect(page.getByRole('combobox', { name: 'パイプライン' })).toBeVisible()
  await shoot(page, '38-plan-dark-ja')
  await expectAccessible('dark plan')
  await page.goto(`${page.url().split('#')[0] ?? ''}#/curate/twins`)
  await expect(page.getByTestId('twin-search')).toBeVisible()
  await page.getByLabel('語の下限').fill('0.5')
  await page.getByRole('button', { name: 'もう一度探す' }).click()
  await expect(page.getByTestId('screen-curate').locator('.mantine-Button-root[data-loading]')).toHaveCount(0, {
    timeout: jobTimeout,
  })
  await shoot(page, '45-twins-dark-ja')
  await expectAccessible('dark near duplicates')
})
