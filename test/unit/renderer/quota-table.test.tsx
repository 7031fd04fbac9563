import { fireEvent, screen } from '@testing-library/react'
import { beforeAll, describe, expect, it } from 'vitest'
import type { LeafChange, LeafSummary } from '../../../main/contract/taxonomy.ts'
import { setLanguage } from '../../../renderer/i18n.ts'
import { type Quotas, QuotaTable } from '../../../renderer/views/generate/quota-table.tsx'
import { draw } from './draw.tsx'
import { ScriptedEngine } from './scripted-engine.ts'

beforeAll(() => setLanguage('en'))

const leafOf = (path: string, change: LeafChange) =>
  ({ path, change, seedCount: 5, documentCount: 0, datasetRowCount: 0, acceptedCount: 0 }) as unknown as LeafSummary

describe('the leaves of a new generation', () => {
  it('can be only those that changed since their last run or never were in one', () => {
    const leaves = [
      leafOf('knowledge/same', 'same'),
      leafOf('knowledge/changed', 'changed'),
      leafOf('knowledge/new', 'new'),
    ]
    let quotas: Quotas = Object.fromEntries(leaves.map(({ path }) => [path, 50]))
    draw(
      new ScriptedEngine(),
      <QuotaTable leaves={leaves} canGenerate={() => true} quotas={quotas} onChange={(next) => (quotas = next)} />,
    )
    fireEvent.click(screen.getByRole('checkbox', { name: 'Only leaves changed since their last run' }))
    expect(quotas).toEqual({ 'knowledge/same': 0, 'knowledge/changed': 50, 'knowledge/new': 50 })
    expect(screen.queryByRole('checkbox', { name: 'knowledge/same' })).toBeNull()
    expect(screen.getByRole('checkbox', { name: 'knowledge/new' })).toBeTruthy()
  })
})
