// The roles of one model: assigned ones, those it may take, and in plain words those it cannot.

import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { type Model, modelRoles } from '../../../main/contract/models.ts'
import { useAct } from '../../state/lab.ts'

/** One mark or button a role. */
export function ModelRoles({ model }: { model: Model }) {
  const { t } = useTranslation()
  const assign = useAct('model.assign')
  return (
    <span className="row">
      {modelRoles.map((role) => {
        const reason = model.unfit[role]
        if (model.roles.includes(role)) {
          return (
            <span key={role} className="tag good">
              {t(`models.role.${role}`)}
            </span>
          )
        }
        if (reason !== undefined) {
          return (
            <span key={role} className="dim" style={{ fontSize: 12 }} title={reason}>
              {t('models.notFit', { role: t(`models.role.${role}`) })}
            </span>
          )
        }
        return (
          <Button
            key={role}
            size="compact-xs"
            variant="default"
            disabled={model.isMissing}
            loading={assign.isRunning}
            onClick={(event) => {
              event.stopPropagation()
              void assign.run({ modelId: model.id, role })
            }}
          >
            {t('models.useAs', { role: t(`models.role.${role}`) })}
          </Button>
        )
      })}
    </span>
  )
}
