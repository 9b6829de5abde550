// The names of the resources that follow from the short name of the deployment.

var letters = 'abcdefghijklmnopqrstuvwxyz'

@export()
@description('The short name, if every name that contains it is valid in Azure. Otherwise the deployment fails with the reason.')
func checkedName(name string) string =>
  empty(filter(
      map(range(0, length(name)), index => substring(name, index, 1)),
      character => !contains('${letters}0123456789-', character)
    )) && contains(letters, take(name, 1)) && !endsWith(name, '-') && !contains(name, '--')
    ? name
    : fail('The name "${name}" is not valid. It starts with a lower-case letter, and contains lower-case letters, digits and single hyphens between them.')

@export()
@description('The short name in a name of Azure that has no hyphens.')
func withoutHyphens(name string, maxLength int) string => take(replace(name, '-', ''), maxLength)
