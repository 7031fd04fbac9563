// Everything known of one model, and its removal from the list.

import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { type Model, modelRoles } from '../../../main/contract/models.ts'
import { ask } from '../../components/ask.tsx'
import { Facts } from '../../components/facts.tsx'
import { Section } from '../../components/screen.tsx'
import { formatBytes, formatCount } from '../../format.ts'
import { useAct } from '../../state/lab.ts'
import { goTo } from '../../state/route.ts'

/** The details under the table. */
export function ModelDetail({ model }: { model: Model }) {
  const { t } = useTranslation()
  const remove = useAct('model.remove')
  const askRemoval = () =>
    ask({
      title: t('models.removeTitle', { name: model.name }),
      text: t('models.removeText'),
      yes: t('models.remove'),
      onYes: () => void remove.run({ modelId: model.id }).then(() => goTo('models')),
    })
  return (
    <Section
      title={model.name}
      actions={
        <Button variant="default" onClick={askRemoval} loading={remove.isRunning}>
          {t('models.remove')}
        </Button>
      }
    >
      <Facts
        of={[
          [
            t('models.path'),
            <span key="path" className="mono">
              {model.path}
            </span>,
          ],
          [
            t('models.hash'),
            <span key="hash" className="mono">
              {model.sha256}
            </span>,
          ],
          [t('models.size'), `${formatBytes(model.sizeBytes)} (${model.fileType})`],
          [t('models.parameters'), formatCount(model.parameterCount)],
          [t('models.context'), formatCount(model.contextLength)],
          [t('models.vocabulary'), formatCount(model.vocabSize)],
          [t('models.template'), model.hasChatTemplate ? t('yes') : t('no')],
          [t('models.promptPack'), t(`models.pack.${model.promptPack}`)],
          model.origin !== '' && [t('models.origin'), model.origin],
          ...modelRoles.map((role) => {
            const reason = model.unfit[role]
            return reason === undefined
              ? null
              : ([t('models.notFit', { role: t(`models.role.${role}`) }), reason] as const)
          }),
        ]}
      />
    </Section>
  )
}
