import { Notifications } from '@mantine/notifications'
import { fireEvent, screen, waitFor } from '@testing-library/react'
import { beforeAll, describe, expect, it } from 'vitest'
import type { LeafPath } from '../../../main/contract/ids.ts'
import type { LeafSummary } from '../../../main/contract/taxonomy.ts'
import { setLanguage } from '../../../renderer/i18n.ts'
import { keepDraft, keptDraft } from '../../../renderer/state/drafts.ts'
import { TaxonomyTree } from '../../../renderer/views/taxonomy/taxonomy-tree.tsx'
import { type TreeView, treeRows } from '../../../renderer/views/taxonomy/tree-rows.ts'
import { draw } from './draw.tsx'
import { ScriptedEngine } from './scripted-engine.ts'

beforeAll(() => setLanguage('en'))

const leafOf = (path: string, fields: Partial<LeafSummary> = {}): LeafSummary =>
  ({
    path,
    branch: path.split('/')[0],
    acceptedCount: 2,
    datasetRowCount: 0,
    wantedCount: 0,
    seedCount: 5,
    change: 'new',
    problems: [],
    ...fields,
  }) as unknown as LeafSummary
const leaves = ['compositional_skills/a/x', 'knowledge/b/y', 'knowledge/b/z', 'knowledge/c'].map((path) => leafOf(path))
const view = (change: Partial<TreeView> = {}): TreeView => ({ search: '', filter: 'all', closed: new Set(), ...change })
const pathsOf = (list: readonly LeafSummary[], change: Partial<TreeView> = {}) =>
  treeRows(list, view(change)).map(({ path }) => path)

describe('the rows of the taxonomy tree', () => {
  it('put the branches in the order of the method, folders before leaves', () => {
    const rows = treeRows(leaves, view())
    expect(rows.map(({ path }) => path)).toEqual([
      'knowledge',
      'knowledge/b',
      'knowledge/b/y',
      'knowledge/b/z',
      'knowledge/c',
      'compositional_skills',
      'compositional_skills/a',
      'compositional_skills/a/x',
    ])
    expect(rows[0]).toMatchObject({ leafCount: 3, acceptedCount: 6, level: 1 })
  })
  it('fold what is closed, but show every match of a search', () => {
    const closed = new Set(['knowledge'])
    expect(pathsOf(leaves, { closed })).not.toContain('knowledge/b')
    expect(pathsOf(leaves, { search: 'B/Z', closed })).toEqual(['knowledge', 'knowledge/b', 'knowledge/b/z'])
  })
  it('show only leaves that changed, have too few samples, or have problems, when asked to', () => {
    const problem = { severity: 'warning', line: 1, column: 1, field: '', message: '', remedy: '' } as const
    const list = [
      leafOf('knowledge/full', { acceptedCount: 10, wantedCount: 10, change: 'same' }),
      leafOf('knowledge/thin', { acceptedCount: 4, wantedCount: 10, change: 'changed' }),
      leafOf('knowledge/odd', { acceptedCount: 0, wantedCount: 0, problems: [problem] }),
    ]
    const shown = (filter: TreeView['filter']) => pathsOf(list, { filter }).filter((path) => path !== 'knowledge')
    expect(shown('changed')).toEqual(['knowledge/thin'])
    expect(shown('new')).toEqual(['knowledge/odd'])
    expect(shown('thin')).toEqual(['knowledge/odd', 'knowledge/thin'])
    expect(shown('problems')).toEqual(['knowledge/odd'])
  })
  it('weigh a leaf by what its runs asked for, or by the median leaf, and a folder by the sum of its leaves', () => {
    const rows = treeRows(
      [
        leafOf('knowledge/a', { acceptedCount: 5, wantedCount: 20 }),
        leafOf('knowledge/b', { acceptedCount: 30, wantedCount: 20 }),
        leafOf('knowledge/c', { acceptedCount: 6 }),
      ],
      view(),
    )
    expect(rows.map(({ path, share }) => [path, share])).toEqual([
      ['knowledge', 1],
      ['knowledge/a', 0.25],
      ['knowledge/b', 1],
      ['knowledge/c', 1],
    ])
    expect(treeRows([leafOf('knowledge/a', { acceptedCount: 0 })], view())[1]?.share).toBeNull()
    const dataset = leafOf('foundational_skills/a', { acceptedCount: 0, datasetRowCount: 9 })
    expect(treeRows([dataset, ...leaves], view()).find(({ path }) => path === dataset.path)?.share).toBeNull()
  })
  it('of 5,000 leaves are built and filtered in less than 100 ms', () => {
    const many = Array.from({ length: 5000 }, (_, at) =>
      leafOf(`knowledge/area_${at % 40}/topic_${at % 400}/leaf_${at}`, { acceptedCount: at % 60, wantedCount: 50 }),
    )
    const timesMs = ['', 'topic_3', 'leaf_49', ''].map((search) => {
      const started = performance.now()
      treeRows(many, view({ search, filter: search === '' ? 'all' : 'thin' }))
      return performance.now() - started
    })
    console.log(`5,000 leaves: rows of search, filter and all in ${timesMs.slice(1).map(Math.round).join(', ')} ms`)
    // The first one warms up the code.
    expect(Math.min(...timesMs.slice(1))).toBeLessThan(100)
    expect(treeRows(many, view())).toHaveLength(5000 + 400 + 40 + 1)
  })
})

describe('the tree', () => {
  const drawTree = (opened = '') => {
    const engine = new ScriptedEngine({
      'taxonomy.move': ({ from, to }) => [{ from: from as LeafPath, to: to as LeafPath }],
      'taxonomy.remove': () => null,
      'taxonomy.restore': () => null as never,
    })
    // Without a layout nothing is in view; rows are drawn from their estimated height.
    Object.defineProperty(HTMLElement.prototype, 'clientHeight', { configurable: true, value: 600 })
    Object.defineProperty(HTMLElement.prototype, 'clientWidth', { configurable: true, value: 340 })
    draw(
      engine,
      <>
        <Notifications />
        <TaxonomyTree leaves={leaves} opened={opened} />
      </>,
    )
    return engine
  }
  const row = (name: string) => screen.findByRole('treeitem', { name: new RegExp(`^${name}`) }, { timeout: 4000 })
  const press = (key: string) => fireEvent.keyDown(screen.getByRole('tree'), { key })

  it('moves a leaf that is dropped on a folder, and offers the way back', async () => {
    const engine = drawTree()
    const transfer = { setData: () => undefined, effectAllowed: '' }
    fireEvent.dragStart(await row('y'), { dataTransfer: transfer })
    fireEvent.dragOver(await row('a'), { dataTransfer: transfer })
    fireEvent.drop(await row('a'), { dataTransfer: transfer })
    await waitFor(() =>
      expect(engine.asked('taxonomy.move')).toEqual([
        { from: 'knowledge/b/y', to: 'compositional_skills/a/y', isFolder: false },
      ]),
    )
    fireEvent.click(await screen.findByRole('button', { name: 'Undo' }))
    await waitFor(() =>
      expect(engine.asked('taxonomy.move')[1]).toEqual({
        from: 'compositional_skills/a/y',
        to: 'knowledge/b/y',
        isFolder: false,
      }),
    )
  })
  it('moves nothing that is dropped where it was, or a folder into itself', async () => {
    const engine = drawTree()
    const transfer = { setData: () => undefined, effectAllowed: '' }
    fireEvent.dragStart(await row('y'), { dataTransfer: transfer })
    fireEvent.drop(await row('z'), { dataTransfer: transfer })
    fireEvent.dragStart(await row('b'), { dataTransfer: transfer })
    fireEvent.drop(await row('y'), { dataTransfer: transfer })
    expect(engine.asked('taxonomy.move')).toEqual([])
  })
  it('renames by keyboard; drafts and the open leaf go along', async () => {
    location.hash = '#/taxonomy/knowledge%2Fc'
    keepDraft('knowledge/c', { path: 'knowledge/c', branch: 'knowledge', domain: 'birds', seeds: [] } as never)
    const engine = drawTree('knowledge/c')
    press('F2')
    const field = await screen.findByLabelText('New path', { selector: 'input' })
    fireEvent.change(field, { target: { value: 'knowledge/birds/c' } })
    fireEvent.click(screen.getByRole('button', { name: 'Move' }))
    await waitFor(() => expect(engine.asked('taxonomy.move')[0]).toMatchObject({ to: 'knowledge/birds/c' }))
    await waitFor(() => expect(location.hash).toContain('knowledge%2Fbirds%2Fc'))
    expect(keptDraft('knowledge/birds/c')).toMatchObject({ path: 'knowledge/birds/c', domain: 'birds' })
    expect(keptDraft('knowledge/c')).toBeNull()
  })
  it('removes with Delete, and brings back from the notice', async () => {
    const engine = drawTree('knowledge/c')
    press('Delete')
    await waitFor(() => expect(engine.asked('taxonomy.remove')).toEqual([{ leaf: 'knowledge/c' }]))
    fireEvent.click((await screen.findAllByRole('button', { name: 'Undo' })).at(-1) as HTMLElement)
    await waitFor(() => expect(engine.asked('taxonomy.restore')).toEqual([{ leaf: 'knowledge/c' }]))
  })
})
