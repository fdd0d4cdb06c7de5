using System.Reflection;
using Merge.Sdk;

namespace Merge.Plugins;

/// <summary>What came out of one plugin folder.</summary>
/// <param name="Status">Ids not filled in: the catalog does, once it knows who owns which.</param>
/// <param name="Parts">Those that work, ordered by id.</param>
/// <param name="Context">Where the plugin's code lives; null where none was loaded.</param>
internal sealed record LoadedPlugin(
    PluginStatus Status,
    IReadOnlyList<PluginPart> Parts,
    PluginLoadContext? Context);

/// <summary>From a plugin folder to what it offers. Whatever is wrong ends in the status, never in a throw.</summary>
internal static class PluginLoader
{
    public static LoadedPlugin Load(
        string folder, IServiceProvider services, Func<Type, IReadOnlyList<Diagnostic>>? optionFaults)
    {
        try
        {
            var assembly = PluginAssembly.Read(PluginAssembly.Find(folder));
            var context = new PluginLoadContext(assembly.Path);
            if (Obstacle(folder, assembly, context) is { } obstacle)
            {
                context.Unload();
                return new(obstacle with { Version = assembly.Version, Contract = Short(assembly.Contract) }, [], null);
            }
            return Build(folder, assembly, context, services, optionFaults);
        }
        catch (MergeException e)
        {
            return new(PluginStatus.Failed(folder, PluginState.Malfunctioned, e.Diagnostics), [], null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var problem = new Diagnostic($"its folder cannot be read: {e.Message}") { Where = folder };
            return new(PluginStatus.Failed(folder, PluginState.Malfunctioned, problem), [], null);
        }
    }

    /// <summary>Why the plugin should not be loaded at all, told from metadata; null if it should.</summary>
    private static PluginStatus? Obstacle(string folder, PluginAssembly assembly, PluginLoadContext context)
    {
        var host = PluginLoadContext.Sdk.Version!;
        if (assembly.Contract is not { } contract)
        {
            return PluginStatus.Failed(folder, PluginState.Malfunctioned, Problem(
                assembly, $"it does not refer to {PluginLoadContext.Sdk.Name}, so it is not a plugin", Actor.User,
                fix: "Take the folder away from the plugins, or reference the SDK."));
        }
        if (contract.Major != host.Major || contract.Minor > host.Minor)
        {
            return PluginStatus.Failed(folder, PluginState.IncompatibleContract, Problem(
                assembly, $"it is built against contract {Short(contract)}", Actor.PluginAuthor,
                expected: host.Minor == 0 ? $"{Short(host)}" : $"{host.Major}.0 to {Short(host)}",
                fix: contract > host
                    ? "Update merge, or take an earlier version of the plugin."
                    : "Build it against this version's SDK."));
        }
        var runtime = assembly.References.FirstOrDefault(r => r.Name == "System.Runtime")?.Version;
        if (runtime is not null && runtime.Major > Environment.Version.Major)
        {
            return PluginStatus.Failed(folder, PluginState.MissingDependency, Problem(
                assembly, $"it is built for .NET {runtime.Major}", Actor.PluginAuthor,
                expected: $".NET {Environment.Version.Major} or earlier"));
        }
        return MissingFiles(assembly, context) is { Count: > 0 } missing
            ? PluginStatus.Failed(folder, PluginState.MissingDependency, missing)
            : null;
    }

    private static List<Diagnostic> MissingFiles(PluginAssembly assembly, PluginLoadContext context)
    {
        var folder = Path.GetDirectoryName(assembly.Path)!;
        var missing = assembly.PrivateReferences
            .Where(r => !File.Exists(Path.Combine(folder, r.Name + ".dll")))
            .ToList();
        try
        {
            // Also asked when nothing seems missing: it checks all files of the deps.json, indirect ones too.
            if (assembly.PrivateReferences.FirstOrDefault() is { } any)
                context.Resolve(any);
            missing.RemoveAll(r => context.Resolve(r) is not null);
        }
        catch (InvalidOperationException e) when (missing.Count == 0)
        {
            var file = e.Message.Split("path: '") is [_, var rest, ..] ? rest.Split('\'')[0] : "a file";
            return [Problem(assembly, $"{file} of its .deps.json is not in its folder", Actor.PluginAuthor)];
        }
        catch (InvalidOperationException)
        {
            // The deps.json names what is missing already.
        }
        return [.. missing.Select(r => Missing(assembly, $"{r.Name} {r.Version?.ToString(3)}"))];
    }

    private static LoadedPlugin Build(
        string folder, PluginAssembly assembly, PluginLoadContext context, IServiceProvider services,
        Func<Type, IReadOnlyList<Diagnostic>>? optionFaults)
    {
        var status = new PluginStatus(PluginAssembly.NameOf(folder), folder)
        {
            State = PluginState.Loaded,
            Version = assembly.Version,
            Contract = Short(assembly.Contract),
            Notes = OwnSdk(folder) is { } note ? [note] : [],
        };
        Type[] types;
        try
        {
            types = context.LoadFromAssemblyPath(assembly.Path).GetTypes();
        }
        catch (Exception e) when (e is ReflectionTypeLoadException or TypeLoadException or BadImageFormatException
            or FileLoadException or FileNotFoundException)
        {
            context.Unload();
            var causes = e is ReflectionTypeLoadException several ? several.LoaderExceptions : [e];
            var absent = causes.OfType<FileNotFoundException>().Select(c => c.FileName).Distinct().ToArray();
            return new(
                absent.Length > 0
                    ? status with
                    {
                        State = PluginState.MissingDependency,
                        Problems = [.. absent.Select(name => Missing(assembly, name ?? "an assembly it needs"))],
                    }
                    : status with
                    {
                        State = PluginState.Malfunctioned,
                        Problems = [Problem(
                            assembly, $"it cannot be loaded: {causes[0]?.Message ?? e.Message}", Actor.PluginAuthor,
                            fix: "Build it again, against this SDK and its libraries as they lie in its folder.")],
                    },
                [], null);
        }
        var built = types
            .Where(PartFactory.IsPart)
            .OrderBy(t => t.FullName, StringComparer.Ordinal)
            .Select(t => PartFactory.Build(t, services, optionFaults))
            .ToArray();
        var problems = built.SelectMany(b => b.Problems).ToList();
        if (built.Length == 0)
        {
            string[] hidden = [.. types.Where(PartFactory.IsHidden).Select(t => t.Name).Order(StringComparer.Ordinal)];
            var many = hidden.Length > 1;
            problems.Add(hidden.Length > 0
                ? Problem(assembly, $"class{(many ? "es" : "")} {string.Join(", ", hidden)} {(many ? "are" : "is")} not public", Actor.PluginAuthor,
                    expected: "a public strategy, searcher or evaluator",
                    fix: $"Make {(many ? "them" : "it")} public, and what {(many ? "they are" : "it is")} nested in.")
                : assembly.IsProgram
                ? Problem(assembly, ProgramOutput.Found, Actor.User, ProgramOutput.Expected, ProgramOutput.Question(folder))
                : Problem(assembly, "it has no public strategy, searcher or evaluator", Actor.PluginAuthor,
                    expected: $"a public class that derives from {nameof(MergeStrategy)}<TOptions>, "
                        + $"{nameof(SearcherFactory)}<TOptions> or {nameof(EvaluatorFactory)}<TOptions>"));
        }
        return new(
            problems.Count == 0 ? status : status with { State = PluginState.Malfunctioned, Problems = problems },
            [.. built.Select(b => b.Part).OfType<PluginPart>().OrderBy(p => p.Id, StringComparer.Ordinal)],
            context);
    }

    private static Diagnostic? OwnSdk(string folder)
    {
        var copy = Path.Combine(folder, $"{PluginLoadContext.Sdk.Name}.dll");
        return File.Exists(copy)
            ? new Diagnostic($"{Path.GetFileName(copy)} is not needed: the host's is used")
            {
                Severity = Severity.Warning,
                Actor = Actor.PluginAuthor,
                Where = copy,
                Fix = $"Refer to {PluginLoadContext.Sdk.Name} with ExcludeAssets=\"runtime\" (and Private=\"false\", where it is a project).",
            }
            : null;
    }

    private static Diagnostic Missing(PluginAssembly assembly, string what) => Problem(
        assembly, $"it needs {what}, which its folder does not hold", Actor.PluginAuthor,
        fix: "Copy the plugin's whole output folder (EnableDynamicLoading in its project puts its libraries there).");

    private static Diagnostic Problem(
        PluginAssembly assembly, string found, Actor actor, string? expected = null, string? fix = null) =>
        new(found) { Actor = actor, Expected = expected, Where = assembly.Path, Fix = fix };

    private static Version? Short(Version? version) => version is null ? null : new(version.Major, version.Minor);
}
