using System.Reflection;

namespace Merge.Testing.Rules;

internal sealed class FilesRule : IStrategyRule
{
    private static readonly string[] _types =
    [
        "System.IO.File", "System.IO.FileInfo", "System.IO.FileStream", "System.IO.Directory", "System.IO.DirectoryInfo",
        "System.IO.RandomAccess", "System.IO.FileSystemWatcher", "System.IO.DriveInfo", "System.Diagnostics.Process",
    ];

    private static readonly string[] _namespaces =
        ["System.IO.MemoryMappedFiles", "System.IO.Pipes", "System.IO.Compression", "System.Net"];

    public ConformanceRule Rule => ConformanceRule.Files;

    public string LookAt => "data a method needs beside the models: declare it by [SideInput], and the host finds, opens and checks it";

    public IEnumerable<ConformanceFinding> Check(Subject subject) =>
        from call in ReachableCode.Of(subject.Strategy.GetType()).Calls
        let type = call.Target.DeclaringType
        where type is not null && (_types.Contains(type.FullName)
            || _namespaces.Any(n => type.Namespace == n || type.Namespace?.StartsWith(n + ".", StringComparison.Ordinal) == true)
            || OpensByName(call.Target))
        select new ConformanceFinding(Rule, $"{call.From} calls {type!.Name}.{call.Target.Name}", LookAt);

    private static bool OpensByName(MethodBase target) => target is ConstructorInfo
        && target.DeclaringType!.FullName is "System.IO.StreamReader" or "System.IO.StreamWriter"
        && target.GetParameters() is [{ ParameterType.FullName: "System.String" }, ..];
}
