using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Merge.Recipes;
using Merge.Sdk;

namespace Merge.Scoring;

/// <summary>The program that a recipe names as its evaluator: where it is, and how it is started.</summary>
internal sealed class EvaluatorProgram : IDisposable
{
    private const long LongestScript = 16 << 20;

    private readonly EvaluateRecipe _recipe;
    private readonly ScoringPlace _place;
    private readonly string _path;
    private readonly EvaluatorGuard _guard = new();

    /// <exception cref="MergeException">There is no such program.</exception>
    public EvaluatorProgram(EvaluateRecipe recipe, ScoringPlace place)
    {
        (_recipe, _place) = (recipe, place);
        _path = Find(recipe.Arguments[0]);
        var folder = place.RecipeFolder;
        Identity = Digest([$"{recipe.Kind}", .. recipe.Arguments,
            .. recipe.Environment.SelectMany(e => e.OrderBy(v => v.Key, StringComparer.Ordinal).Select(v => $"{v.Key}={v.Value}")),
            .. recipe.Arguments.Where(a => !a.Contains('{')).Select(a => Path.GetFullPath(a, folder)).Append(_path)
                .Where(f => File.Exists(f) && new FileInfo(f).Length <= LongestScript).Select(DigestOf)]);
    }

    /// <summary>Equal for equal arguments, variables and contents of the files that the arguments name.</summary>
    public string Identity { get; }

    public string Name => _recipe.Arguments[0];

    /// <summary>Starts it, its three streams redirected.</summary>
    /// <param name="worker">From 0: decides its variables.</param>
    /// <param name="fill">Fills the placeholders of an argument.</param>
    /// <param name="variables">Beside those of the recipe.</param>
    /// <exception cref="MergeException">The system refuses: no trial could be scored.</exception>
    public Process Start(int worker, Func<string, string> fill, params ReadOnlySpan<(string Name, string Value)> variables)
    {
        var start = new ProcessStartInfo(_path)
        {
            WorkingDirectory = _place.RecipeFolder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in _recipe.Arguments.Skip(1))
            start.ArgumentList.Add(fill(argument));
        if (_recipe.Environment.Count > 0)
        {
            foreach (var (name, value) in _recipe.Environment[worker % _recipe.Environment.Count])
                start.Environment[name] = value;
        }
        start.Environment["MERGE_WORKER"] = worker.ToString();
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
        _guard.Take(start);
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception fault)
        {
            throw Stop($"the evaluator '{Name}' cannot be started: {fault.Message}",
                "A script needs a first line such as '#!/bin/sh', or its interpreter before it.", fault);
        }
    }

    public void Dispose() => _guard.Dispose();

    /// <summary>Ends it and all that it has started.</summary>
    public static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception fault) when (fault is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It has ended by itself.
        }
    }

    /// <summary>How a program ended, in words.</summary>
    public static string Ending(int exitCode) => exitCode switch
    {
        137 => "was killed (signal 9; the system does so when memory runs out)",
        > 128 and < 160 => $"was ended by signal {exitCode - 128}",
        _ => $"ended with exit code {exitCode}",
    };

    private string Find(string name)
    {
        var isPath = name.Contains('/');
        string[] places = isPath
            ? [Path.GetFullPath(name, _place.RecipeFolder)]
            : [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
                .Select(folder => Path.Combine(folder, name))];
        if (places.FirstOrDefault(IsProgram) is { } found)
            return found;
        if (places.FirstOrDefault(File.Exists) is { } file)
            throw Stop($"the evaluator {RecipeText.Quote(name)} may not be executed ({file})", $"chmod +x {file}, or its interpreter before it.");
        var beside = Path.GetFullPath(name, _place.RecipeFolder);
        throw Stop($"there is no program {RecipeText.Quote(name)}" + (isPath ? $" ({places[0]})" : " in PATH"),
            !isPath && File.Exists(beside) ? $"For the file beside the recipe write './{name}'." : "Install it, or give its full path.");
    }

    private static bool IsProgram(string path) => File.Exists(path) && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path)
        & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0);

    private MergeException Stop(string found, string fix, Exception? cause = null) => new(new Diagnostic(found)
    {
        Where = $"{_place.RecipePath}, line {_recipe.Line}",
        Fix = fix,
    }, cause)
    { WrongUsage = true };

    private static string Digest(IEnumerable<string> parts) => Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', parts))));

    private static string DigestOf(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
